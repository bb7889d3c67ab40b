{{- define "audit.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 52 | trimSuffix "-" -}}
{{- end -}}

{{- /* A CronJob's name leaves room for the eleven characters of its Jobs. */ -}}
{{- define "audit.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 52 | trimSuffix "-" -}}
{{- else if contains (include "audit.name" .) .Release.Name -}}
{{- .Release.Name | trunc 52 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "audit.name" .) | trunc 52 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "audit.account" -}}
{{- default (include "audit.fullname" .) .Values.serviceAccount.name -}}
{{- end -}}

{{- define "audit.selector" -}}
app.kubernetes.io/name: {{ include "audit.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "audit.labels" -}}
{{ include "audit.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "audit.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ default .Chart.AppVersion .Values.image.tag }}
{{- end -}}
{{- end -}}

{{- /* Whose kinds an API group holds; empty for Kubernetes' own. */ -}}
{{- define "audit.operator" -}}
{{- $owners := list
  (list "argoproj.io" "argocd") (list "cert-manager.io" "certManager") (list "cnpg.io" "cloudNativePG") (list "fluxcd.io" "flux")
  (list "gateway.networking.k8s.io" "gatewayAPI") (list "gateway.envoyproxy.io" "gatewayAPI") (list "keda.sh" "keda") (list "longhorn.io" "longhorn")
  (list "metallb.io" "metallb") (list "openshift.io" "openshift") (list "monitoring.coreos.com" "prometheus") (list "victoriametrics.com" "prometheus")
  (list "rabbitmq.com" "rabbitmq") (list "snapshot.storage.k8s.io" "snapshots") (list "traefik.io" "traefik") (list "velero.io" "velero") -}}
{{- $group := . -}}
{{- range $owners -}}{{- if or (eq $group (first .)) (hasSuffix (printf ".%s" (first .)) $group) -}}{{- last . -}}{{- end -}}{{- end -}}
{{- end -}}

{{- /* The rules of a list that the values ask for; nothing where none is left. */ -}}
{{- define "audit.rules" -}}
{{- $root := .root -}}
{{- $fullname := default $root.Values.release.name $root.Values.release.fullname -}}
{{- range .rules -}}
{{- $operator := include "audit.operator" (first .apiGroups) -}}
{{- $secret := eq (first .resources) "secrets" -}}
{{- $listed := eq $root.Values.secrets "list" -}}
{{- $mode := or (not $secret) (and (eq $root.Values.secrets "named") (has "get" .verbs)) (and $listed (has "list" .verbs)) -}}
{{- if and $mode (or (eq $operator "") (get $root.Values.rbac.operators $operator)) }}
- apiGroups: {{ toJson .apiGroups }}
  resources: {{ toJson .resources }}
  verbs: {{ if and $secret $listed }}["get", "list"]{{ else }}{{ toJson .verbs }}{{ end }}
  {{- if .resourceNames }}
  {{- $names := list }}
  {{- range .resourceNames }}
  {{- $names = append $names (. | replace "THE-NAMESPACE" $root.Values.release.namespace | replace "THE-RELEASE" $root.Values.release.name | replace "THE-FULLNAME" $fullname) }}
  {{- end }}
  resourceNames: {{ toJson $names }}
  {{- end }}
{{- end -}}
{{- end -}}
{{- end -}}
