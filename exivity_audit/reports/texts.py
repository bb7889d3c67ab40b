"""The page's words in English, Dutch and German, one line a text; a test proves that no language misses one.

``{name}`` stands for a value. The terminal prints the English sentences of the same table.
"""

from __future__ import annotations

from datetime import UTC, datetime

from msgspec import Struct

LANGUAGES = ("en", "nl", "de")

TABLE: dict[str, tuple[str, str, str]] = {
    # dates and numbers
    "months": ("Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec", "jan feb mrt apr mei jun jul aug sep okt nov dec", "Jan. Feb. März Apr. Mai Juni Juli Aug. Sept. Okt. Nov. Dez."),
    "day": ("{day} {month} {year}", "{day} {month} {year}", "{day}. {month} {year}"),
    "decimal": (".", ",", ","),
    # the answer
    "product": ("Exivity operations audit", "Exivity-beheeraudit", "Exivity-Betriebsaudit"),
    "and": (" and ", " en ", " und "),
    "comma": (", ", ", ", ", "),
    "gate.READY.one": ("is ready", "is klaar voor productie", "ist bereit für den Produktivbetrieb"),
    "gate.READY.many": ("are ready", "zijn klaar voor productie", "sind bereit für den Produktivbetrieb"),
    "gate.NOT READY.one": ("is not ready", "is niet klaar voor productie", "ist nicht bereit für den Produktivbetrieb"),
    "gate.NOT READY.many": ("are not ready", "zijn niet klaar voor productie", "sind nicht bereit für den Produktivbetrieb"),
    "gate.UNVERIFIED.one": ("cannot be judged yet", "kan nog niet worden beoordeeld", "lässt sich noch nicht beurteilen"),
    "gate.UNVERIFIED.many": ("cannot be judged yet", "kunnen nog niet worden beoordeeld", "lassen sich noch nicht beurteilen"),
    "gate.EVALUATION.one": ("is for evaluation", "is bedoeld voor evaluatie", "dient der Evaluierung"),
    "gate.EVALUATION.many": ("are for evaluation", "zijn bedoeld voor evaluatie", "dienen der Evaluierung"),
    "grade": ("grade {grade}", "waardering {grade}", "Note {grade}"),
    "grade.label": ("Grade, score", "Waardering, score", "Note, Punktzahl"),
    "score.label": ("Score", "Score", "Punktzahl"),
    "not_graded": ("not graded", "geen waardering", "keine Note"),
    "of_100": ("{score} of 100", "{score} van 100", "{score} von 100"),
    "no_score": ("no score", "geen score", "keine Punktzahl"),
    "none": ("none", "geen", "keine"),
    "decided.label": ("Decided", "Beoordeeld", "Entschieden"),
    "decided.checks": ("{decided} of {all} checks", "{decided} van {all} controles", "{decided} von {all} Prüfungen"),
    "decided.row": ("{decided} of {all} decided", "{decided} van {all} beoordeeld", "{decided} von {all} entschieden"),
    # why
    "why.rows": ("Of the {number} rows that decide readiness: {list}.", "Van de {number} onderdelen die bepalen of het cluster klaar is: {list}.", "Von den {number} Bereichen, die über die Bereitschaft entscheiden: {list}."),
    "why.with": ("Ready {conditions}.", "Klaar {conditions}.", "Bereit {conditions}."),
    "why.remarks": ("with remarks", "met opmerkingen", "mit Anmerkungen"),
    "why.waivers": ("with {waivers}", "met {waivers}", "mit {waivers}"),
    "why.evaluation": ("Evaluation prints no gate: this installation is not judged for production.", "Een evaluatie krijgt geen eindoordeel: deze installatie is niet voor productie beoordeeld.", "Eine Evaluierung erhält kein Gesamturteil: Diese Installation wurde nicht für den Produktivbetrieb beurteilt."),
    "why.scenario": ("The scenario is unknown, so the gate stays UNVERIFIED: pass `--scenario`.", "Het scenario is onbekend, daarom is er nog geen oordeel: geef `--scenario` op.", "Das Szenario ist unbekannt, deshalb gibt es noch kein Urteil: `--scenario` angeben."),
    "why.capped.one": ("Capped at D by 1 critical failure", "Niet hoger dan D door 1 kritiek gebrek", "Höchstens D wegen 1 kritischen Mangels"),
    "why.capped.many": ("Capped at D by {number} critical failures", "Niet hoger dan D door {number} kritieke gebreken", "Höchstens D wegen {number} kritischer Mängel"),
    "why.critical.one": ("1 critical failure", "1 kritiek gebrek", "1 kritischer Mangel"),
    "why.critical.many": ("{number} critical failures", "{number} kritieke gebreken", "{number} kritische Mängel"),
    "why.partial": ("Not graded, and the gate stays open: some checks were left out of this run.", "Geen waardering en geen oordeel: in deze run zijn controles weggelaten.", "Keine Note und kein Urteil: In diesem Lauf wurden Prüfungen weggelassen."),
    "why.coverage": ("Not graded: less than 80 % of these rows' weight is decided{percent}.", "Geen waardering: van deze onderdelen is minder dan 80 % van het gewicht beoordeeld{percent}.", "Keine Note: In diesen Bereichen ist weniger als 80 % des Gewichts entschieden{percent}."),
    "why.bare.one": ("Without its 1 waiver the score is {score}.", "Zonder die uitzondering is de score {score}.", "Ohne diese Ausnahme beträgt die Punktzahl {score}."),
    "why.bare.many": ("Without its {number} waivers the score is {score}.", "Zonder de {number} uitzonderingen is de score {score}.", "Ohne die {number} Ausnahmen beträgt die Punktzahl {score}."),
    "waiver.one": ("1 waiver", "1 uitzondering", "1 Ausnahme"),
    "waiver.many": ("{number} waivers", "{number} uitzonderingen", "{number} Ausnahmen"),
    "attestation.one": ("1 attestation", "1 verklaring", "1 Bestätigung"),
    "attestation.many": ("{number} attestations", "{number} verklaringen", "{number} Bestätigungen"),
    "why.table": ("The table of supported releases {which}is of {date}, older than {days} days: what ended since is not in it.", "De tabel met ondersteunde versies {which}is van {date} en ouder dan {days} dagen: wat sindsdien is vervallen, staat er niet in.", "Die Tabelle der unterstützten Versionen {which}ist vom {date} und älter als {days} Tage: Was seitdem ausgelaufen ist, fehlt darin."),
    "why.table.in": ("in {file} ", "in {file} ", "in {file} "),
    "why.table.own": ("Supported releases by {file}, of {date}.", "Ondersteunde versies volgens {file}, van {date}.", "Unterstützte Versionen nach {file}, vom {date}."),
    # rows
    "verdict.MET": ("MET", "VOLDAAN", "ERFÜLLT"),
    "verdict.PARTLY": ("PARTLY", "DEELS VOLDAAN", "TEILWEISE ERFÜLLT"),
    "verdict.NOT MET": ("NOT MET", "NIET VOLDAAN", "NICHT ERFÜLLT"),
    "verdict.UNVERIFIED": ("UNVERIFIED", "NIET VASTGESTELD", "NICHT NACHGEWIESEN"),
    "verdict.NOT APPLICABLE": ("NOT APPLICABLE", "NIET VAN TOEPASSING", "ENTFÄLLT"),
    "standing.MET": ("met", "voldaan", "erfüllt"),
    "standing.PARTLY": ("partly met", "deels voldaan", "teilweise erfüllt"),
    "standing.NOT MET": ("not met", "niet voldaan", "nicht erfüllt"),
    "standing.UNVERIFIED": ("unverified", "niet vastgesteld", "nicht nachgewiesen"),
    "standing.NOT APPLICABLE": ("not applicable", "niet van toepassing", "entfällt"),
    "phase.foundation": ("Foundations", "Fundament", "Grundlagen"),
    "phase.before-production": ("Before production", "Vóór productie", "Vor dem Produktivbetrieb"),
    "phase.day-2": ("Day 2", "Na de ingebruikname", "Laufender Betrieb"),
    "status.fail": ("fail", "afgekeurd", "nicht bestanden"),
    "status.error": ("error", "afgebroken", "abgebrochen"),
    "status.unknown": ("unknown", "onbekend", "unbekannt"),
    "status.manual": ("manual", "te verklaren", "zu bestätigen"),
    "status.warn": ("warn", "met waarschuwing", "mit Warnung"),
    "status.waived": ("waived", "geaccepteerd", "akzeptiert"),
    "status.pass": ("pass", "goedgekeurd", "bestanden"),
    "status.skip": ("skip", "overgeslagen", "übersprungen"),
    "severity.critical": ("critical", "kritiek", "kritisch"),
    "severity.high": ("high", "hoog", "hoch"),
    "severity.medium": ("medium", "middel", "mittel"),
    "severity.low": ("low", "laag", "niedrig"),
    # head
    "skip_link": ("To the findings", "Naar de bevindingen", "Zu den Befunden"),
    "contents": ("Contents", "Inhoud", "Inhalt"),
    "print": ("Print", "Afdrukken", "Drucken"),
    "theme.dark": ("Dark", "Donker", "Dunkel"),
    "theme.light": ("Light", "Licht", "Hell"),
    "release": ("Release", "Release", "Release"),
    "scenario": ("Scenario", "Scenario", "Szenario"),
    "how.detected": ("detected", "vastgesteld", "erkannt"),
    "how.declared": ("declared", "opgegeven", "angegeben"),
    "how.both": ("declared and detected", "opgegeven en vastgesteld", "angegeben und erkannt"),
    "how.other": ("declared; detected: {other}", "opgegeven; vastgesteld: {other}", "angegeben; erkannt: {other}"),
    "scenario.unknown": ("scenario unknown", "scenario onbekend", "Szenario unbekannt"),
    "purpose": ("Purpose", "Doel", "Zweck"),
    "purpose.production": ("production", "productie", "Produktivbetrieb"),
    "purpose.evaluation": ("evaluation", "evaluatie", "Evaluierung"),
    "nodes.one": ("1 node", "1 node", "1 Node"),
    "nodes.many": ("{number} nodes", "{number} nodes", "{number} Nodes"),
    "workers.one": ("1 worker", "1 worker", "1 Worker"),
    "workers.many": ("{number} workers", "{number} workers", "{number} Worker"),
    "nodes.unseen": ("nodes not seen", "nodes niet gezien", "Nodes nicht gesehen"),
    "version.unseen": ("version not seen", "versie niet gezien", "Version nicht gesehen"),
    "site": ("Site", "Locatie", "Standort"),
    "sites": ("{number} sites", "{number} locaties", "{number} Standorte"),
    "site.read": ("read {time}", "gelezen {time}", "gelesen {time}"),
    "site.unreached": ("NOT REACHED: {why}", "NIET BEREIKT ({why})", "NICHT ERREICHT ({why})"),
    "site.all": ("all sites", "alle locaties", "alle Standorte"),
    "role.active": ("active", "actief", "aktiv"),
    "role.passive": ("passive", "passief", "passiv"),
    # checklist
    "checklist": ("Checklist", "Checklist", "Checkliste"),
    "checklist.about": ("A score counts only what was decided; what was not is hatched, never counted as passed.", "Een score telt alleen wat beoordeeld is; wat dat niet is, is gearceerd en telt nooit als goedgekeurd.", "Eine Punktzahl zählt nur, was entschieden ist; der Rest ist schraffiert und gilt nie als bestanden."),
    "row": ("Row", "Onderdeel", "Bereich"),
    "verdict": ("Verdict", "Oordeel", "Urteil"),
    "open": ("Open", "Open", "Offen"),
    "bar": ("Earned, lost, undecided", "Behaald, verloren, niet beoordeeld", "Erreicht, verloren, nicht entschieden"),
    "bar.earned": ("earned", "behaald", "erreicht"),
    "bar.warned": ("lost to warnings", "verloren door waarschuwingen", "verloren durch Warnungen"),
    "bar.failed": ("lost to failures", "verloren door gebreken", "verloren durch Mängel"),
    "bar.undecided": ("undecided", "niet beoordeeld", "nicht entschieden"),
    "bar.part": ("{percent} % {part}", "{percent} % {part}", "{percent} % {part}"),
    "count.in": ("{number} {status} in {row}: show them", "{number} {status} in {row}: toon ze", "{number} {status} in {row}: anzeigen"),
    "trend": ("Trend", "Verloop", "Verlauf"),
    "trend.about": ("Score of {number} runs, from {first} to {last}.", "Score van {number} runs, van {first} tot {last}.", "Punktzahl von {number} Läufen, vom {first} bis zum {last}."),
    "trend.point": ("{day}: {score}", "{day}: {score}", "{day}: {score}"),
    "trend.label": ("Score from {first} of 100 on {start} to {last} of 100 on {end}", "Score van {first} van 100 op {start} naar {last} van 100 op {end}", "Punktzahl von {first} von 100 am {start} auf {last} von 100 am {end}"),
    "trend.numbers": ("The numbers", "De getallen", "Die Zahlen"),
    "date": ("Date", "Datum", "Datum"),
    # fixes
    "fixes": ("Fix these first", "Los dit eerst op", "Zuerst beheben"),
    "fixes.about": ("Critical failures first, then by points gained.", "Eerst kritieke gebreken, daarna naar gewonnen punten.", "Kritische Mängel zuerst, dann nach gewonnenen Punkten."),
    "fixes.gain": ("points gained", "punten winst", "Punkte Gewinn"),
    "fixes.findings": ("{number} findings", "{number} bevindingen", "{number} Befunde"),
    "fixes.clears": ("clears {rows}", "maakt {rows} in orde", "bringt {rows} in Ordnung"),
    "together.one": ("This one alone", "Dit punt alleen", "Dieser Punkt allein"),
    "together.two": ("Both together", "Beide samen", "Beide zusammen"),
    "together.many": ("All {number} together", "Alle {number} samen", "Alle {number} zusammen"),
    "together": ("{who}: {before} → {after}, {grade}.", "{who}: {before} → {after}, {grade}.", "{who}: {before} → {after}, {grade}."),
    "together.stays": ("grade stays {grade}", "de waardering blijft {grade}", "die Note bleibt {grade}"),
    "together.ungraded": ("still not graded", "nog geen waardering", "weiterhin keine Note"),
    "together.grade": ("{before} → {after}", "{before} → {after}", "{before} → {after}"),
    "together.not_met": ("Then still not met: {rows}.", "Dan nog niet voldaan: {rows}.", "Dann noch nicht erfüllt: {rows}."),
    "together.unverified": ("Then unverified: {rows}.", "Dan niet vastgesteld: {rows}.", "Dann nicht nachgewiesen: {rows}."),
    "together.also_unverified": ("Unverified: {rows}.", "Niet vastgesteld: {rows}.", "Nicht nachgewiesen: {rows}."),
    "together.ready": ("Then ready.", "Dan klaar voor productie.", "Dann bereit für den Produktivbetrieb."),
    # what is not decided
    "decide": ("Decide the rest", "Nog te beoordelen", "Noch zu klären"),
    "decide.about.one": ("1 check has no answer yet. This would give one.", "1 controle heeft nog geen uitkomst. Hiermee komt die er wel.", "1 Prüfung hat noch kein Ergebnis. Damit ließe sie sich entscheiden."),
    "decide.about.many": ("{number} checks have no answer yet. This would give one.", "{number} controles hebben nog geen uitkomst. Hiermee komt die er wel.", "{number} Prüfungen haben noch kein Ergebnis. Damit ließen sie sich entscheiden."),
    "decide.look": ("Could not look", "Niet te zien", "Nicht einsehbar"),
    "decide.attest": ("To attest", "Te verklaren", "Zu bestätigen"),
    "decide.decides": ("decides", "beslist over", "entscheidet"),
    "decide.unread": ("What could not be read, and why", "Wat niet kon worden gelezen, en waarom", "Was nicht gelesen werden konnte, und warum"),
    "read": ("Read", "Gelezen", "Gelesen"),
    "reason": ("Reason", "Reden", "Grund"),
    "would_help": ("Would show it", "Zou het tonen", "Würde es zeigen"),
    # tables
    "nodes": ("If a node dies", "Als een node uitvalt", "Wenn ein Node ausfällt"),
    "nodes.about": ("From where pods, volumes and middleware run now; nothing was stopped to find out.", "Afgeleid van waar pods, volumes en middleware nu draaien; er is niets voor stilgezet.", "Abgeleitet davon, wo Pods, Volumes und Middleware jetzt laufen; dafür wurde nichts angehalten."),
    "node": ("Node", "Node", "Node"),
    "zone": ("Zone", "Zone", "Zone"),
    "stops": ("Stops", "Stopt", "Fällt aus"),
    "moves": ("Moves", "Verhuist", "Zieht um"),
    "middleware": ("Middleware", "Middleware", "Middleware"),
    "fits": ("Fits on the rest", "Past op de rest", "Passt auf den Rest"),
    "fits.yes": ("yes", "ja", "ja"),
    "fits.no": ("no", "nee", "nein"),
    "fits.unknown": ("unknown", "onbekend", "unbekannt"),
    "fits.memory": ("memory at {percent} %", "geheugen op {percent} %", "Speicher bei {percent} %"),
    "nothing": ("nothing", "niets", "nichts"),
    "perhaps": ("perhaps {names}", "misschien {names}", "vielleicht {names}"),
    "failover": ("Readiness for failover", "Gereed voor failover", "Bereitschaft für den Failover"),
    "failover.about": ("The vendor's actions in their order, and what the checks found for each.", "De acties van de leverancier in volgorde, en wat de controles voor elk vonden.", "Die Schritte des Herstellers in ihrer Reihenfolge, und was die Prüfungen zu jedem fanden."),
    "failover.ready": ("{ready} of {all} are ready at {site}.", "{ready} van {all} zijn gereed op {site}.", "{ready} von {all} sind an {site} bereit."),
    "step": ("Step", "Stap", "Schritt"),
    "action": ("Action", "Actie", "Aktion"),
    "failover.seen": ("Seen", "Gezien", "Gesehen"),
    "failover.open": ("Open", "Open", "Offen"),
    "readiness.ready": ("ready", "gereed", "bereit"),
    "readiness.missing": ("missing", "ontbreekt", "fehlt"),
    "readiness.unknown": ("unknown", "onbekend", "unbekannt"),
    "readiness.by hand": ("by hand", "met de hand", "von Hand"),
    "copies": ("Backup ledger", "Back-upoverzicht", "Backup-Übersicht"),
    "copies.about": ("Everything that must survive, what copies it, and when that last worked.", "Alles wat bewaard moet blijven, wat het kopieert en wanneer dat voor het laatst lukte.", "Alles, was erhalten bleiben muss, wodurch es gesichert wird und wann das zuletzt gelang."),
    "copies.fresh": ("{fresh} of {all} are fresh.", "{fresh} van {all} zijn actueel.", "{fresh} von {all} sind aktuell."),
    "item": ("Item", "Wat", "Was"),
    "size": ("Size", "Grootte", "Größe"),
    "copied_by": ("Copied by", "Gekopieerd door", "Gesichert durch"),
    "last_copy": ("Last good copy", "Laatste goede kopie", "Letzte gute Sicherung"),
    "state": ("State", "Status", "Zustand"),
    "copy.fresh": ("fresh", "actueel", "aktuell"),
    "copy.late": ("late", "te laat", "überfällig"),
    "copy.none": ("none", "geen", "keine"),
    "copy.unknown": ("unknown", "onbekend", "unbekannt"),
    "copy.not needed": ("not needed", "niet nodig", "nicht nötig"),
    "ago": ("{age} ago", "{age} geleden", "vor {age}"),
    "ago.wanted": ("{age} ago, wanted {limit}", "{age} geleden, gewenst {limit}", "vor {age}, gewünscht {limit}"),
    "calendar": ("Calendar", "Kalender", "Termine"),
    "calendar.about": ("What becomes due if nothing is done.", "Wat er verloopt als er niets gebeurt.", "Was fällig wird, wenn nichts geschieht."),
    "calendar.unseen": ("Not seen: {reason}", "Niet gezien: {reason}", "Nicht gesehen: {reason}"),
    "last_day": ("Last good day", "Laatste goede dag", "Letzter guter Tag"),
    "days_left": ("Days left", "Dagen over", "Tage übrig"),
    "what": ("What", "Wat", "Was"),
    "subject": ("Where", "Waar", "Wo"),
    # papers
    "papers": ("Attested and waived", "Verklaard en geaccepteerd", "Bestätigt und akzeptiert"),
    "papers.about": ("What rests on a person's word, by name and until when.", "Wat op iemands woord berust: wie, en tot wanneer.", "Was auf dem Wort einer Person beruht: wer, und bis wann."),
    "paper": ("Paper", "Stuk", "Beleg"),
    "paper.attestation": ("attestation", "verklaring", "Bestätigung"),
    "paper.waiver": ("waiver", "uitzondering", "Ausnahme"),
    "check": ("Check", "Controle", "Prüfung"),
    "who": ("By", "Door", "Durch"),
    "statement": ("Statement or reason", "Verklaring of reden", "Aussage oder Grund"),
    "until": ("Until", "Tot en met", "Bis"),
    "given": ("on {date}", "op {date}", "am {date}"),
    "accepts": ("accepts {value}", "accepteert {value}", "akzeptiert {value}"),
    "fate.used": ("used", "gebruikt", "verwendet"),
    "fate.unused": ("unused", "ongebruikt", "unbenutzt"),
    "fate.expired": ("expired", "verlopen", "abgelaufen"),
    "fate.void": ("void", "ongeldig", "ungültig"),
    # findings
    "findings": ("Findings", "Bevindingen", "Befunde"),
    "findings.about": ("Every check, with what was measured, what is wanted, the fix, and where it was seen.", "Elke controle, met wat er gemeten is, wat gewenst is, de oplossing en waar het gezien is (in het Engels).", "Jede Prüfung mit Messwert, Sollwert, Abhilfe und Fundstelle (auf Englisch)."),
    "filter": ("Filter the findings", "Bevindingen filteren", "Befunde filtern"),
    "filter.status": ("Status", "Status", "Status"),
    "filter.rows": ("All rows", "Alle onderdelen", "Alle Bereiche"),
    "filter.sites": ("All sites", "Alle locaties", "Alle Standorte"),
    "filter.severity": ("Severity", "Ernst", "Schweregrad"),
    "filter.low": ("Any severity", "Elke ernst", "Jeder Schweregrad"),
    "filter.medium": ("Medium and above", "Middel en hoger", "Mittel und höher"),
    "filter.high": ("High and above", "Hoog en hoger", "Hoch und höher"),
    "filter.critical": ("Critical", "Kritiek", "Kritisch"),
    "filter.search": ("Search", "Zoeken", "Suchen"),
    "filter.search.label": ("Search the findings", "Zoek in de bevindingen", "Befunde durchsuchen"),
    "filter.reset": ("Reset", "Wissen", "Zurücksetzen"),
    "filter.shown": ("{shown} of {all} checks", "{shown} van {all} controles", "{shown} von {all} Prüfungen"),
    "filter.empty": ("No check fits this filter.", "Geen controle past bij dit filter.", "Keine Prüfung passt zu diesem Filter."),
    "measured": ("Measured", "Gemeten", "Gemessen"),
    "why": ("Why", "Waarom", "Warum"),
    "wanted": ("Wanted", "Gewenst", "Soll"),
    "note": ("Note", "Opmerking", "Hinweis"),
    "fix": ("Fix", "Oplossing", "Abhilfe"),
    "do": ("Do", "Doen", "Zu tun"),
    "also": ("Also {status}", "Ook {status}", "Auch {status}"),
    "evidence": ("Evidence", "Bewijs", "Beleg"),
    "seen_at": ("Seen at", "Gezien in", "Gesehen in"),
    "see_it": ("See it", "Bekijk het", "Ansehen"),
    "patch": ("Patch", "Patch", "Patch"),
    "clauses": ("Clauses", "Clausules", "Klauseln"),
    "explain": ("Explain", "Uitleg", "Erklärung"),
    "follows": ("follows from", "volgt uit", "folgt aus"),
    "copy": ("Copy", "Kopieer", "Kopieren"),
    "copied": ("Copied", "Gekopieerd", "Kopiert"),
    "more": ("and {number} more, all in the JSON report", "en nog {number}, alle in het JSON-rapport", "und {number} weitere, alle im JSON-Bericht"),
    "passed": ("{number} passed", "{number} goedgekeurd", "{number} bestanden"),
    "skipped": ("{number} skipped", "{number} overgeslagen", "{number} übersprungen"),
    "seen": ("Seen", "Gezien", "Gesehen"),
    # arithmetic
    "arithmetic": ("How the score is made", "Hoe de score tot stand komt", "So entsteht die Punktzahl"),
    "arithmetic.row": ("Per row: weight earned ÷ weight decided (critical 8, high 5, medium 3, low 1; pass 1, warn ½, fail 0).", "Per onderdeel: behaald gewicht ÷ beoordeeld gewicht (kritiek 8, hoog 5, middel 3, laag 1; goedgekeurd 1, waarschuwing ½, afgekeurd 0).", "Je Bereich: erreichtes Gewicht ÷ entschiedenes Gewicht (kritisch 8, hoch 5, mittel 3, niedrig 1; bestanden 1, Warnung ½, nicht bestanden 0)."),
    "arithmetic.all": ("Overall: the rows' mean by row weight. One critical failure caps the grade at D.", "Totaal: het naar gewicht gemiddelde van de onderdelen. Eén kritiek gebrek begrenst de waardering op D.", "Gesamt: das gewichtete Mittel der Bereiche. Ein kritischer Mangel begrenzt die Note auf D."),
    "arithmetic.numbers": ("The numbers", "De getallen", "Die Zahlen"),
    "earned": ("Earned", "Behaald", "Erreicht"),
    "decided.weight": ("Decided weight", "Beoordeeld gewicht", "Entschiedenes Gewicht"),
    "row.weight": ("Row weight", "Gewicht van het onderdeel", "Gewicht des Bereichs"),
    "overall": ("Overall", "Totaal", "Gesamt"),
    # sign-off
    "sign": ("Sign-off", "Ondertekening", "Abnahme"),
    "sign.about": ("This report is about {cluster}, read on {time}, by checklist {checklist}.", "Dit rapport gaat over {cluster}, gelezen op {time}, volgens checklist {checklist}.", "Dieser Bericht betrifft {cluster}, gelesen am {time}, nach Checkliste {checklist}."),
    "sign.decision": ("Decision", "Besluit", "Entscheidung"),
    "sign.accepted": ("accepted", "geaccepteerd", "abgenommen"),
    "sign.conditional": ("accepted with the open points below", "geaccepteerd met de openstaande punten hieronder", "abgenommen mit den offenen Punkten unten"),
    "sign.refused": ("not accepted", "niet geaccepteerd", "nicht abgenommen"),
    "sign.points": ("Open points", "Openstaande punten", "Offene Punkte"),
    "sign.points.about": ("Failures of this report, the gravest first; the free lines are for what was agreed beside it.", "De gebreken uit dit rapport, de ernstigste eerst; de lege regels zijn voor wat daarnaast is afgesproken.", "Die Mängel aus diesem Bericht, die schwersten zuerst; die freien Zeilen sind für weitere Absprachen."),
    "sign.more.one": ("and 1 more failure, under Findings", "en nog 1 gebrek, zie Bevindingen", "und 1 weiterer Mangel, siehe Befunde"),
    "sign.more.many": ("and {number} more failures, under Findings", "en nog {number} gebreken, zie Bevindingen", "und {number} weitere Mängel, siehe Befunde"),
    "sign.undecided.one": ("1 check without an answer, under Decide the rest", "1 controle zonder uitkomst, zie Nog te beoordelen", "1 Prüfung ohne Ergebnis, siehe Noch zu klären"),
    "sign.undecided.many": ("{number} checks without an answer, under Decide the rest", "{number} controles zonder uitkomst, zie Nog te beoordelen", "{number} Prüfungen ohne Ergebnis, siehe Noch zu klären"),
    "sign.free": ("free line", "lege regel", "freie Zeile"),
    "sign.point": ("Point", "Punt", "Punkt"),
    "sign.owner": ("Owner", "Eigenaar", "Verantwortlich"),
    "sign.supplier": ("Supplier", "Leverancier", "Lieferant"),
    "sign.customer": ("Customer", "Klant", "Kunde"),
    "sign.name": ("Name", "Naam", "Name"),
    "sign.function": ("Function", "Functie", "Funktion"),
    "sign.place": ("Place, date", "Plaats, datum", "Ort, Datum"),
    "sign.signature": ("Signature", "Handtekening", "Unterschrift"),
    # footer
    "foot.live": ("{requests} requests, {writes} writes", "{requests} verzoeken, {writes} schrijfacties", "{requests} Anfragen, {writes} Schreibzugriffe"),
    "foot.snapshot": ("A snapshot was judged: no requests, {writes} writes", "Een snapshot is beoordeeld: geen verzoeken, {writes} schrijfacties", "Ein Snapshot wurde beurteilt: keine Anfragen, {writes} Schreibzugriffe"),
    "foot.as": ("as {identity}", "als {identity}", "als {identity}"),
    "foot.insecure": ("the server's certificate was not verified", "het certificaat van de server is niet gecontroleerd", "das Zertifikat des Servers wurde nicht geprüft"),
    "foot.cluster": ("Cluster {cluster}, uid {uid}.", "Cluster {cluster}, uid {uid}.", "Cluster {cluster}, uid {uid}."),
    "foot.not_seen": ("not seen", "niet gezien", "nicht gesehen"),
    "foot.versions": ("exivity-audit {version}, checklist {checklist}.", "exivity-audit {version}, checklist {checklist}.", "exivity-audit {version}, Checkliste {checklist}."),
    "foot.kept": ("Snapshot {file} (redacted).", "Snapshot {file} (geredigeerd).", "Snapshot {file} (geschwärzt)."),
    "foot.exit": ("Exit code {code}: {reason}.", "Exitcode {code}: {reason}.", "Exit-Code {code}: {reason}."),
}  # fmt: skip


class Texts(Struct, frozen=True):
    """The table in one language."""

    language: str = "en"

    def __call__(self, key: str, **values: object) -> str:
        """A text with its values; an unknown key or a missing value is an error."""
        return TABLE[key][LANGUAGES.index(self.language)].format(**values)

    def count(self, key: str, number: int, **values: object) -> str:
        """``1 waiver``, ``3 waivers``."""
        return self(f"{key}.one" if number == 1 else f"{key}.many", number=number, **values)

    def joined(self, names: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
        """Each name with what stands behind it: ``a``, ``, ``; ``b``, `` and ``; ``c``."""
        behind = (*[self("comma")] * (len(names) - 2), *[self("and")] * (len(names) > 1), "")
        return tuple(zip(names, behind, strict=True))

    def listed(self, names: tuple[str, ...]) -> str:
        """``a, b and c``."""
        return "".join(name + behind for name, behind in self.joined(names))

    def day(self, text: str) -> str:
        """``2027-01-31`` as people write it; other text as it is."""
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            return text
        return self("day", day=moment.day, month=self("months").split()[moment.month - 1], year=moment.year)

    def moment(self, moment: datetime) -> str:
        """``23 Nov 2026 14:02:11 UTC``."""
        utc = moment.astimezone(UTC)
        return f"{self.day(utc.date().isoformat())} {utc:%H:%M:%S} UTC"

    def number(self, value: float, places: int = 1) -> str:
        """``78.6``, with the language's decimal sign."""
        return f"{value:.{places}f}".replace(".", self("decimal"))


ENGLISH = Texts()
