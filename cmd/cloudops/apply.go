package main

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/cloudops-manager/cloudops/api/client"
	"github.com/cloudops-manager/cloudops/engine"
	"github.com/cloudops-manager/cloudops/engine/blueprint"
)

// compileLocal checks a stack on this machine.
func compileLocal(cmd *cobra.Command, file string, vars varFlags) (engine.Blueprint, error) {
	dir, err := stackFolder(file)
	if err != nil {
		return engine.Blueprint{}, err
	}
	values, err := vars.values()
	if err != nil {
		return engine.Blueprint{}, err
	}
	return newCompiler(blueprint.GitCLI{Env: gitEnvironment()}, &blueprint.RegistryHTTP{Token: tokenFromEnvironment}).CompileDir(cmd.Context(), dir, values)
}

// applyFlags say which part of a stack a run is of, too.
type applyFlags struct {
	followFlags
	only        []string
	replace     []string
	target      []string
	refreshOnly bool
}

func (a *applyFlags) add(cmd *cobra.Command) {
	a.followFlags.add(cmd)
	f := cmd.Flags()
	f.StringArrayVar(&a.only, "only", nil, "component that is wanted, such as terraform.web; may be given several times (default all)")
	f.StringArrayVar(&a.replace, "replace", nil, "resource to be made anew, as in terraform.web:aws_instance.this[0]; may be given several times")
	f.StringArrayVar(&a.target, "target", nil, "resource to be looked at alone, with what it rests on; may be given several times")
	f.BoolVar(&a.refreshOnly, "refresh-only", false, "take what changed outside of Terraform into the state, and change nothing else")
}

func newStackApply() *cobra.Command {
	var file string
	var upgrade bool
	var vars varFlags
	var a applyFlags
	cmd := &cobra.Command{
		Use: "apply", Short: "Submit a stack, plan it, ask, apply it", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := connect(cmd)
			if err != nil {
				return err
			}
			rev, err := submit(cmd, c, file, vars, a.message, upgrade)
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.ErrOrStderr(), "revision %d of stack %s\n", rev.Number, rev.Stack)
			return startAndFollow(cmd, c, rev.Stack, client.StartRun{Kind: string(engine.RunApply), Revision: rev.Number, Message: a.message}, a)
		},
	}
	cmd.Flags().StringVarP(&file, "file", "f", ".", "stack file or its folder")
	addUpgrade(cmd, &upgrade)
	vars.add(cmd)
	a.add(cmd)
	return cmd
}

func newStackSubmit() *cobra.Command {
	var file, message string
	var upgrade bool
	var vars varFlags
	cmd := &cobra.Command{
		Use: "submit", Short: "Check a stack and store it as its next revision, without a run", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := connect(cmd)
			if err != nil {
				return err
			}
			rev, err := submit(cmd, c, file, vars, message, upgrade)
			if err != nil {
				return err
			}
			return show(cmd, rev, func(w io.Writer) error {
				_, err := fmt.Fprintf(w, "revision %d of stack %s\n", rev.Number, rev.Stack)
				return err
			})
		},
	}
	cmd.Flags().StringVarP(&file, "file", "f", ".", "stack file or its folder")
	cmd.Flags().StringVarP(&message, "message", "m", "", "why; kept with the revision")
	addUpgrade(cmd, &upgrade)
	vars.add(cmd)
	return cmd
}

func addUpgrade(cmd *cobra.Command, upgrade *bool) {
	cmd.Flags().BoolVar(upgrade, "upgrade", false, "choose the versions of modules from registries anew")
}

// submit packs the folder and sends it.
func submit(cmd *cobra.Command, c *client.Client, file string, vars varFlags, message string, upgrade bool) (client.Revision, error) {
	var rev client.Revision
	dir, err := stackFolder(file)
	if err != nil {
		return rev, err
	}
	values, err := vars.values()
	if err != nil {
		return rev, err
	}
	bundle, err := blueprint.Pack(dir)
	if err != nil {
		return rev, err
	}
	outline, err := blueprint.Outline(bundle)
	if err != nil {
		return rev, err
	}
	return c.SubmitBundle(cmd.Context(), outline.Stack, bundle, values, message, upgrade)
}

func newStackDestroy() *cobra.Command {
	var a applyFlags
	cmd := &cobra.Command{
		Use: "destroy STACK", Short: "Plan the removal of all that a stack made, ask, remove it", Args: exactly(1, "cloudops stack destroy payments"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := connect(cmd)
			if err != nil {
				return err
			}
			return startAndFollow(cmd, c, args[0], client.StartRun{Kind: string(engine.RunDestroy), Message: a.message}, a)
		},
	}
	a.add(cmd)
	return cmd
}

// startAndFollow starts a run and goes with it as far as the flags say.
func startAndFollow(cmd *cobra.Command, c *client.Client, stack string, req client.StartRun, a applyFlags) error {
	req.Only, req.Replace, req.Target, req.RefreshOnly = a.only, a.replace, a.target, a.refreshOnly
	run, err := c.StartRun(cmd.Context(), stack, req)
	return followStarted(cmd, c, run, err, a.followFlags)
}

func outputText(o client.Output) string {
	switch {
	case o.Unknown:
		return "(known once applied)"
	case o.Sensitive && o.Value == nil:
		return "(sensitive; --reveal prints it)"
	default:
		return engine.ShowValue(json.RawMessage(o.Value))
	}
}
