// Reads a dashboard from standard input by Grafana's own model, strictly: an unknown field or a wrong type ends with 1 and says where.
package main

import (
	"fmt"
	"io"
	"os"

	"github.com/grafana/grafana-foundation-sdk/go/cog/plugins"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

func main() {
	plugins.RegisterDefaultPlugins()
	raw, err := io.ReadAll(os.Stdin)
	if err == nil {
		var board dashboard.Dashboard
		if err = board.UnmarshalJSONStrict(raw); err == nil {
			err = board.Validate()
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
