package main

import (
	"fmt"
	"io"
	"sort"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cloudops-manager/cloudops/api/client"
)

func newStackShow() *cobra.Command {
	var reveal bool
	cmd := &cobra.Command{
		Use: "show STACK", Short: "Show a stack with its components and outputs", Args: exactly(1, "cloudops stack show payments"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := connect(cmd)
			if err != nil {
				return err
			}
			stack, err := c.Stack(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			outputs, err := c.StackOutputs(cmd.Context(), args[0], reveal)
			if err != nil {
				return err
			}
			page, err := c.Revisions(cmd.Context(), args[0], client.Page{Limit: 1})
			if err != nil {
				return err
			}
			return show(cmd, map[string]any{"stack": stack, "outputs": outputs, "newest": page.Items}, func(w io.Writer) error {
				return writeStack(w, stack, page.Items, outputs)
			})
		},
	}
	cmd.Flags().BoolVar(&reveal, "reveal", false, "print sensitive outputs too")
	return cmd
}

// writeStack prints a stack for people.
func writeStack(w io.Writer, stack client.Stack, newest []client.Revision, outputs map[string]client.Output) error {
	fmt.Fprintf(w, "%s", stack.Name)
	if stack.Description != "" {
		fmt.Fprintf(w, ": %s", stack.Description)
	}
	applied := "none applied"
	if stack.Applied > 0 {
		applied = fmt.Sprintf("applied %d", stack.Applied)
	}
	fmt.Fprintf(w, "\nlatest revision %s, %s, open drift findings: %d\n", revisionText(stack.Latest), applied, stack.OpenFindings)
	if h := stack.Hold; h != nil {
		fmt.Fprintf(w, "under a legal hold by %s: %s\n", h.By, h.Reason)
	}
	for _, rev := range newest {
		writeRevision(w, rev)
	}
	if len(stack.ReadBy) > 0 {
		fmt.Fprintf(w, "read by %s\n", strings.Join(stack.ReadBy, ", "))
	}
	names := make([]string, 0, len(outputs))
	for name := range outputs {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		fmt.Fprintf(w, "  %s = %s\n", name, outputText(outputs[name]))
	}
	return nil
}

// pinText says which version of a source was taken.
func pinText(c client.Component) string {
	text := ""
	if c.Version != "" {
		text = " " + c.Version
	}
	if c.Commit != "" {
		text += " at " + c.Commit[:min(12, len(c.Commit))]
	}
	return text
}

// writeRevision says what a revision is made of.
func writeRevision(w io.Writer, rev client.Revision) {
	for _, c := range rev.Components {
		fmt.Fprintf(w, "  %s from %s%s\n", c.Address, c.Source, pinText(c))
	}
	for _, u := range rev.Upstreams {
		fmt.Fprintf(w, "reads %s of %s", strings.Join(u.Outputs, ", "), u.Stack)
		if u.Trigger {
			fmt.Fprint(w, ", and runs when it changes")
		}
		fmt.Fprintln(w)
	}
}
