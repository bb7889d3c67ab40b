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
		if err = board.UnmarshalJSONStrict(raw); said(err) == "" {
			err = board.Validate()
		}
	}
	if said(err) != "" {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// The model returns lists of errors, and an empty list where there is none.
func said(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
