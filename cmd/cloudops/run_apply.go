package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/cloudops-manager/cloudops/api/client"
	"github.com/cloudops-manager/cloudops/engine"
)

func newRunApply() *cobra.Command {
	var glass bool
	var digest, comment, reason string
	cmd := remote("apply RUN", "Let the approved plan of a run be applied", exactly(1, "cloudops run apply run-..."),
		func(cmd *cobra.Command, c *client.Client, args []string) error {
			if reason != "" && !glass {
				return misuse("--reason goes with --break-glass; a comment is given with -m")
			}
			if digest == "" {
				run, err := c.Run(cmd.Context(), args[0])
				if err != nil {
					return err
				}
				digest = run.Digest
			}
			run, err := applyRun(cmd.Context(), c, args[0], digest, comment, reason, glass)
			if err != nil {
				return err
			}
			return told(cmd, run, "%s", decided(run))
		})
	cmd.Flags().StringVar(&digest, "digest", "", "digest of the plan that is meant, as run show prints it (default the plan that waits now)")
	cmd.Flags().StringVarP(&comment, "comment", "m", "", "why")
	cmd.Flags().BoolVar(&glass, "break-glass", false, "in spite of a freeze; a second person confirms it with the same command")
	cmd.Flags().StringVar(&reason, "reason", "", "why the glass has to be broken; shown with the run for ever")
	return cmd
}

func applyRun(ctx context.Context, c *client.Client, id, digest, comment, reason string, glass bool) (client.Run, error) {
	if glass {
		return c.BreakGlass(ctx, id, digest, reason)
	}
	return c.ApplyRun(ctx, id, digest, comment)
}

// confirmPlan says yes to a plan, by the right to approve or, where that is
// missing, by the right to apply.
func confirmPlan(ctx context.Context, c *client.Client, run client.Run) (client.Run, error) {
	done, err := c.Approve(ctx, run.ID, run.Digest, "")
	if !errors.Is(err, engine.ErrForbidden) {
		return done, err
	}
	if applied, aerr := c.ApplyRun(ctx, run.ID, run.Digest, ""); aerr == nil {
		return applied, nil
	}
	return done, err
}

// writeDecision says what the plan of a run takes before it is applied, who has
// given what of that, and why who asks cannot.
func writeDecision(w io.Writer, d client.Decision) {
	for _, n := range d.Needs {
		fmt.Fprintf(w, "takes %s: has %d\n", n.Text, n.Has)
	}
	for _, word := range d.Words {
		if !word.Counts {
			fmt.Fprintf(w, "the approval of %s counts no longer: %s %s\n", word.By, word.By, word.Why)
		}
	}
	if d.FrozenUntil != nil {
		fmt.Fprintf(w, "frozen until %s by window %s\n", d.FrozenUntil.Local().Format("Mon 2006-01-02 15:04 MST"), d.Window)
	}
	if d.WhyNot != "" {
		fmt.Fprintf(w, "you can't approve it because you %s\n", d.WhyNot)
	}
	if len(d.Needs) > 0 {
		for _, r := range d.Rules {
			fmt.Fprintf(w, "rule of %s:\n", r.From)
			_ = writeSays(w, r.Says, "  ") // what cannot be written here is told by what follows
		}
		fmt.Fprintln(w)
	}
}
