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
	v, err := readVariable(cmd, args)
	if err != nil {
		return err
	}
	done, err := c.SetVariable(cmd.Context(), args[0], variableKind(cmd), args[1], v)
	return saySet(cmd, args[0], done, err)
}

// readVariable takes a value from the third argument, or else from standard input.
func readVariable(cmd *cobra.Command, args []string) (v client.SetVariable, err error) {
	secret, err := cmd.Flags().GetBool("secret")
	if err != nil {
		return v, err
	}
	text := ""
	if len(args) == 3 && secret {
		return v, misuse("everybody on this machine can see the arguments of a command; give a secret on standard input, as in: %s %s %s --secret < FILE", cmd.CommandPath(), args[0], args[1])
	} else if len(args) == 3 {
		text = args[2]
	} else {
		b, err := io.ReadAll(cmd.InOrStdin())
		if err != nil {
			return v, err
		}
		text = strings.TrimRight(string(b), "\r\n")
	}
	v = client.SetVariable{Value: engine.ValueOf(text), Secret: secret}
	if variableKind(cmd) == string(engine.VariableEnvironment) {
		v.Value, err = json.Marshal(text)
	}
	return v, err
}

func saySet(cmd *cobra.Command, stack string, done client.VariableChange, err error) error {
	if err != nil {
		return err
	}
	return show(cmd, done, func(io.Writer) error {
		if done.Revision > 0 {
			fmt.Fprintf(cmd.ErrOrStderr(), "stack %s is at revision %d; start a run with: cloudops run start %[1]s\n", stack, done.Revision)
		}
		return nil
	})
}

func listVariables(cmd *cobra.Command, c *client.Client, args []string) error {
	all, err := c.Variables(cmd.Context(), args[0])
	if err != nil {
		return err
	}
	return show(cmd, all, variableTable(all))
}

func variableTable(all []client.Variable) func(io.Writer) error {
	var rows [][]string
	for _, v := range all {
		value := "(secret)"
		if !v.Secret {
			value = engine.ShowValue(v.Value)
		}
		rows = append(rows, []string{v.Name, v.Kind, value, v.UpdatedBy, since(v.UpdatedAt)})
	}
	return table("NAME KIND VALUE BY UPDATED", rows)
}
