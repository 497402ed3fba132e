package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cloudops-manager/cloudops/api/client"
	"github.com/cloudops-manager/cloudops/engine"
)

func newVariable() *cobra.Command {
	cmd := &cobra.Command{Use: "variable", Short: "Keep values for a stack beside its sources"}
	set := remote("set STACK NAME [VALUE]", "Keep a value; without one it is read from standard input",
		func(cmd *cobra.Command, args []string) error {
			if len(args) != 2 && len(args) != 3 {
				return misuse("a stack and a name, as in: cloudops variable set payments env prod")
			}
			return nil
		}, setVariable)
	set.Flags().Bool("secret", false, "never show the value again; its variable block says sensitive = true")
	unset := remote("unset STACK NAME", "Forget a value", exactly(2, "cloudops variable unset payments env"),
		func(cmd *cobra.Command, c *client.Client, args []string) error {
			done, err := c.UnsetVariable(cmd.Context(), args[0], variableKind(cmd), args[1])
			return saySet(cmd, args[0], done, err)
		})
	for _, c := range []*cobra.Command{set, unset} {
		c.Flags().Bool("env", false, "it is an environment variable of Terraform and Ansible")
	}
	cmd.AddCommand(set, unset, remote("list STACK", "List what is kept, secrets without their values", exactly(1, "cloudops variable list payments"), listVariables))
	return cmd
}

func variableKind(cmd *cobra.Command) string {
	if env, err := cmd.Flags().GetBool("env"); err == nil && env {
		return string(engine.VariableEnvironment)
	}
	return string(engine.VariableInput)
}

func setVariable(cmd *cobra.Command, c *client.Client, args []string) error {
	secret, err := cmd.Flags().GetBool("secret")
	if err != nil {
		return err
	}
	text := ""
	if len(args) == 3 && secret {
		return misuse("everybody on this machine can see the arguments of a command; give a secret on standard input, as in: cloudops variable set %s %s --secret < FILE", args[0], args[1])
	} else if len(args) == 3 {
		text = args[2]
	} else {
		b, err := io.ReadAll(cmd.InOrStdin())
		if err != nil {
			return err
		}
		text = strings.TrimRight(string(b), "\r\n")
	}
	kind, value := variableKind(cmd), engine.ValueOf(text)
	if kind == string(engine.VariableEnvironment) {
		b, err := json.Marshal(text)
		if err != nil {
			return err
		}
		value = b
	}
	done, err := c.SetVariable(cmd.Context(), args[0], kind, args[1], client.SetVariable{Value: value, Secret: secret})
	return saySet(cmd, args[0], done, err)
}

func saySet(cmd *cobra.Command, stack string, done client.VariableSet, err error) error {
	if err == nil && done.Revision > 0 {
		fmt.Fprintf(cmd.ErrOrStderr(), "stack %s is at revision %d; start a run with: cloudops run start %s\n", stack, done.Revision, stack)
	}
	return err
}

func listVariables(cmd *cobra.Command, c *client.Client, args []string) error {
	all, err := c.Variables(cmd.Context(), args[0])
	if err != nil {
		return err
	}
	var rows [][]string
	for _, v := range all {
		value := "(secret)"
		if !v.Secret {
			value = engine.ShowValue(v.Value)
		}
		rows = append(rows, []string{v.Name, v.Kind, value, v.UpdatedBy, since(v.UpdatedAt)})
	}
	return show(cmd, all, table("NAME KIND VALUE BY UPDATED", rows))
}
