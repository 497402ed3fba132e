package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/cloudops-manager/cloudops/api/client"
	"github.com/cloudops-manager/cloudops/engine"
)

func newDrift() *cobra.Command {
	var known, history bool
	cmd := &cobra.Command{
		Use: "drift STACK", Short: "Check a stack for drift; ends with 2 where there is some", Args: exactly(1, "cloudops drift payments"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := connect(cmd)
			if err != nil {
				return err
			}
			if !known && !history {
				if err := checkDrift(cmd, c, args[0]); err != nil {
					return err
				}
			}
			return showFindings(cmd, c, args[0], history)
		},
	}
	cmd.Flags().BoolVar(&known, "known", false, "show what earlier checks found, without a new one")
	cmd.Flags().BoolVar(&history, "history", false, "show what was found and is resolved, too, without a new check")
	return cmd
}

// checkDrift runs a drift check to its end.
func checkDrift(cmd *cobra.Command, c *client.Client, stack string) error {
	run, err := c.StartRun(cmd.Context(), stack, client.StartRun{Kind: string(engine.RunDrift)})
	if err != nil {
		return err
	}
	run, err = follow(cmd, c, run.ID)
	if err == nil && run.Status != string(engine.RunSucceeded) {
		return fmt.Errorf("drift check %s %s%s", run.ID, became(run.Status), because(run.Reason))
	}
	return err
}

func showFindings(cmd *cobra.Command, c *client.Client, stack string, history bool) error {
	found, err := client.All(cmd.Context(), func(ctx context.Context, p client.Page) (client.List[client.Finding], error) {
		return c.Findings(ctx, stack, !history, p)
	})
	if err != nil {
		return err
	}
	err = show(cmd, found, func(w io.Writer) error { return writeFindings(w, stack, found) })
	if err == nil && !history && len(found) > 0 {
		return &exitError{code: exitChanges}
	}
	return err
}

func writeFindings(w io.Writer, stack string, findings []client.Finding) error {
	if len(findings) == 0 {
		_, err := fmt.Fprintf(w, "No drift in stack %s.\n", stack)
		return err
	}
	for _, f := range findings {
		state := "open"
		if f.ResolvedAt != nil {
			state = "resolved " + since(*f.ResolvedAt) + " ago"
		}
		fmt.Fprintf(w, "%s (first seen %s ago, %s)\n", f.Component, since(f.FirstSeen), state)
		if err := engine.WritePlan(w, engine.Plan{Changes: []engine.Change{f.Change}}); err != nil {
			return err
		}
	}
	return nil
}
