package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cloudops-manager/cloudops/api/client"
)

func newVariableSet() *cobra.Command {
	cmd := &cobra.Command{Use: "variable-set", Short: "Keep values that several stacks share"}
	put := remote("put SET", "Make a set, or change which stacks it is for", exactly(1, "cloudops variable-set put prod --stack 'payments-*'"), putVariableSet)
	put.Flags().StringArray("stack", nil, "name of a stack, or a pattern such as payments-*; may be given several times")
	put.Flags().String("description", "", "what it is for")
	set := remote("set SET NAME [VALUE]", "Keep a value in a set; without one it is read from standard input",
		func(cmd *cobra.Command, args []string) error {
			if len(args) != 2 && len(args) != 3 {
				return misuse("a set and a name, as in: cloudops variable-set set prod env prod")
			}
			return nil
		},
		func(cmd *cobra.Command, c *client.Client, args []string) error {
			v, err := readVariable(cmd, args)
			if err != nil {
				return err
			}
			done, err := c.SetShared(cmd.Context(), args[0], variableKind(cmd), args[1], v)
			return sayRevised(cmd, done, err)
		})
	set.Flags().Bool("secret", false, "never show the value again; variable blocks say sensitive = true")
	unset := remote("unset SET NAME", "Forget a value of a set", exactly(2, "cloudops variable-set unset prod env"),
		func(cmd *cobra.Command, c *client.Client, args []string) error {
			done, err := c.UnsetShared(cmd.Context(), args[0], variableKind(cmd), args[1])
			return sayRevised(cmd, done, err)
		})
	for _, c := range []*cobra.Command{set, unset} {
		c.Flags().Bool("env", false, "it is an environment variable of Terraform and Ansible")
	}
	cmd.AddCommand(put, set, unset,
		remote("list", "List sets", noArgs, listVariableSets),
		remote("show SET", "Show a set with its variables, secrets without their values", exactly(1, "cloudops variable-set show prod"), showVariableSet),
		remote("delete SET", "Delete a set; values that revisions have of it stay there", exactly(1, "cloudops variable-set delete prod"),
			func(cmd *cobra.Command, c *client.Client, args []string) error {
				return c.DeleteVariableSet(cmd.Context(), args[0])
			}))
	return cmd
}

func putVariableSet(cmd *cobra.Command, c *client.Client, args []string) error {
	stacks, err := cmd.Flags().GetStringArray("stack")
	if err != nil {
		return err
	}
	return c.PutVariableSet(cmd.Context(), args[0], client.PutVariableSet{Description: option(cmd, "description"), Stacks: stacks})
}

// sayRevised says what a change did to each stack, and fails where it could not
// be done for one.
func sayRevised(cmd *cobra.Command, done []client.Revised, err error) error {
	if err != nil {
		return err
	}
	failed := []error{show(cmd, done, func(io.Writer) error { return writeRevised(cmd.ErrOrStderr(), done) })}
	for _, r := range done {
		if r.Problem != "" {
			failed = append(failed, fmt.Errorf("stack %s stays as it is: %s", r.Stack, r.Problem))
		}
	}
	return errors.Join(failed...)
}

func writeRevised(w io.Writer, done []client.Revised) error {
	for _, r := range done {
		if r.Problem == "" {
			fmt.Fprintf(w, "stack %s is at revision %d\n", r.Stack, r.Revision)
		}
	}
	return nil
}

func listVariableSets(cmd *cobra.Command, c *client.Client, _ []string) error {
	sets, err := c.VariableSets(cmd.Context())
	if err != nil {
		return err
	}
	var rows [][]string
	for _, s := range sets {
		rows = append(rows, []string{s.Name, strings.Join(s.Stacks, ","), fmt.Sprint(len(s.Variables)), since(s.UpdatedAt), s.Description})
	}
	return show(cmd, sets, table("SET STACKS VARIABLES UPDATED DESCRIPTION", rows))
}

func showVariableSet(cmd *cobra.Command, c *client.Client, args []string) error {
	sets, err := c.VariableSets(cmd.Context())
	if err != nil {
		return err
	}
	for _, s := range sets {
		if s.Name != args[0] {
			continue
		}
		return show(cmd, s, func(w io.Writer) error {
			fmt.Fprintf(w, "%s, for %s\n%s\n", s.Name, strings.Join(s.Stacks, ", "), s.Description)
			return variableTable(s.Variables)(w)
		})
	}
	return fmt.Errorf("there is no variable set %q", args[0])
}
