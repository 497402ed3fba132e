package main

import (
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/cloudops-manager/cloudops/api/client"
)

func newPolicy() *cobra.Command {
	cmd := &cobra.Command{Use: "policy", Short: "Keep the approval rules of projects, and that over all stacks"}
	set := remote("set", "Write a rule; it holds for plans that wait already", noArgs, setPolicy)
	set.Flags().StringP("file", "f", "", "file with an approval block, a freeze block or both; - is standard input")
	cmd.AddCommand(required(set, "file"),
		remote("show", "Show a rule", noArgs, showPolicy),
		remote("delete", "Delete a rule", noArgs, func(cmd *cobra.Command, c *client.Client, _ []string) error {
			return c.DeletePolicy(cmd.Context(), option(cmd, "project"))
		}))
	for _, below := range cmd.Commands() {
		below.Flags().String("project", "", "of this project (default: over all stacks)")
	}
	return cmd
}

func setPolicy(cmd *cobra.Command, c *client.Client, _ []string) error {
	text, err := readFileOrInput(cmd, option(cmd, "file"))
	if err != nil {
		return err
	}
	p, err := c.PutPolicy(cmd.Context(), option(cmd, "project"), string(text))
	if err != nil {
		return err
	}
	return show(cmd, p, func(io.Writer) error { return writeSays(cmd.ErrOrStderr(), p.Says, "") })
}

func readFileOrInput(cmd *cobra.Command, name string) ([]byte, error) {
	if name == "-" {
		return io.ReadAll(cmd.InOrStdin())
	}
	return os.ReadFile(name)
}

func showPolicy(cmd *cobra.Command, c *client.Client, _ []string) error {
	p, err := c.Policy(cmd.Context(), option(cmd, "project"))
	if err != nil {
		return err
	}
	return show(cmd, p, func(w io.Writer) error {
		_, err := io.WriteString(w, p.Rule)
		fmt.Fprintf(cmd.ErrOrStderr(), "written by %s %s ago\n", p.UpdatedBy, since(p.UpdatedAt))
		return err
	})
}

func writeSays(w io.Writer, lines []string, indent string) error {
	for _, line := range lines {
		if _, err := fmt.Fprintln(w, indent+line); err != nil {
			return err
		}
	}
	return nil
}
