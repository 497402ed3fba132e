package main

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

const reference = "../../docs/cli.md"

// TestReferenceIsDrawn writes docs/cli.md from the commands themselves.
func TestReferenceIsDrawn(t *testing.T) {
	t.Setenv("HOME", "~")
	t.Setenv("XDG_DATA_HOME", "")
	var b strings.Builder
	b.WriteString("# Commands\n\nMade from the commands by `make generate`. Commands that ask a server take `--server` and\n`-o json` too.\n")
	document(&b, newRoot())
	if *update {
		if err := os.WriteFile(reference, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	was, err := os.ReadFile(reference)
	if err != nil || string(was) != b.String() {
		t.Errorf("%s is behind (%v); write it anew with: make generate", reference, err)
	}
}

// document writes the command, unless it only groups others, and all below it.
func document(b *strings.Builder, cmd *cobra.Command) {
	if cmd.Hidden {
		return
	}
	if !cmd.HasSubCommands() {
		fmt.Fprintf(b, "\n## `%s`\n\n%s.\n", cmd.UseLine(), cmd.Short)
		if cmd.Long != "" {
			fmt.Fprintf(b, "\n%s\n", cmd.Long)
		}
		flags(b, cmd.LocalNonPersistentFlags())
	}
	for _, below := range cmd.Commands() {
		document(b, below)
	}
}

func flags(b *strings.Builder, set *pflag.FlagSet) {
	if !set.HasAvailableFlags() {
		return
	}
	b.WriteString("\n| flag | default | |\n|---|---|---|\n")
	set.VisitAll(func(f *pflag.Flag) {
		name, value := "--"+f.Name, f.DefValue
		if f.Shorthand != "" {
			name = "-" + f.Shorthand + ", " + name
		}
		if f.Name == "concurrency" {
			value = "CPUs"
		}
		if value == "" || value == "[]" || value == "false" {
			value = " "
		} else {
			value = " `" + value + "` "
		}
		if !f.Hidden {
			fmt.Fprintf(b, "| `%s` |%s| %s |\n", name, value, strings.ReplaceAll(f.Usage, "|", "\\|"))
		}
	})
}
