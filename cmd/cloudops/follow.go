package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/cloudops-manager/cloudops/api/client"
	"github.com/cloudops-manager/cloudops/engine"
)

// followFlags say how far a run is followed.
type followFlags struct {
	message  string
	yes      bool // approve without asking
	planOnly bool
	noWait   bool
}

func (a *followFlags) add(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVarP(&a.message, "message", "m", "", "why; kept with the revision and the run")
	f.BoolVar(&a.yes, "yes", false, "approve the plan without asking")
	f.BoolVar(&a.planOnly, "plan-only", false, "end once the plan waits for approval")
	f.BoolVar(&a.noWait, "no-wait", false, "end once the run is started")
	cmd.MarkFlagsMutuallyExclusive("yes", "plan-only", "no-wait")
}

// followStarted goes with a run that was started as far as the flags say.
func followStarted(cmd *cobra.Command, c *client.Client, run client.Run, err error, a followFlags) error {
	if err != nil {
		return err
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "run %s\n", run.ID)
	if a.noWait {
		return show(cmd, run, func(w io.Writer) error { _, err := fmt.Fprintln(w, run.ID); return err })
	}
	if run, err = a.pursue(cmd, c, run.ID); err != nil {
		return err
	}
	return finished(cmd, c, run, a.planOnly || run.Kind == string(engine.RunPreview))
}

// pursue follows a run, and approves its plan where the flags or a person say
// so. It gives the run once it is over or waits for somebody else.
func (a followFlags) pursue(cmd *cobra.Command, c *client.Client, id string) (client.Run, error) {
	for {
		run, err := follow(cmd, c, id)
		if err != nil || run.Status != string(engine.RunPlanned) || a.planOnly {
			return run, err
		}
		if err := a.present(cmd, c, id); err != nil {
			return run, err
		}
		if !a.yes && !askYes(cmd, "Apply this plan?") {
			return run, nil
		}
		run, err = confirmPlan(cmd.Context(), c, run)
		if err != nil || run.Status == string(engine.RunPlanned) {
			return run, err
		}
	}
}

// present shows a plan that is to be approved. Where standard output is for a
// program, whoever is asked reads it beside the question.
func (a followFlags) present(cmd *cobra.Command, c *client.Client, run string) error {
	switch {
	case !inJSON(cmd):
		return writePlanText(cmd.Context(), cmd.OutOrStdout(), c, run)
	case a.yes:
		return nil
	default:
		return writePlanText(cmd.Context(), tamed(cmd.ErrOrStderr()), c, run)
	}
}

// finished prints what became of a run that was followed: its plan where that
// was asked for, else for programs the run. A run that has failed is an error.
func finished(cmd *cobra.Command, c *client.Client, run client.Run, plan bool) error {
	waits := run.Status == string(engine.RunPlanned)
	good := waits || run.Status == string(engine.RunSucceeded)
	var err error
	if plan && good {
		err = showPlan(cmd, c, run.ID)
	} else {
		err = show(cmd, run, func(io.Writer) error { return nil }) // people have seen it
	}
	if err == nil && waits {
		fmt.Fprintln(cmd.ErrOrStderr(), nextStep(run))
	}
	if err == nil && !good {
		err = fmt.Errorf("run %s %s%s", run.ID, became(run.Status), because(run.Reason))
	}
	return err
}

// nextStep says what a run waits for whose plan has to be approved.
func nextStep(run client.Run) string {
	if run.Reason != "" {
		return fmt.Sprintf("run %s waits: %s", run.ID, run.Reason)
	}
	for _, a := range run.Approvals {
		if a.Digest == run.Digest && a.Verdict == string(engine.Approved) {
			return fmt.Sprintf("run %s waits for more approvals", run.ID)
		}
	}
	return fmt.Sprintf("The plan waits. Approve it with: cloudops run approve %s", run.ID)
}

func showPlan(cmd *cobra.Command, c *client.Client, run string) error {
	if !inJSON(cmd) {
		return writePlanText(cmd.Context(), cmd.OutOrStdout(), c, run)
	}
	plan, err := c.RunPlan(cmd.Context(), run)
	if err != nil {
		return err
	}
	return show(cmd, plan, nil)
}

func writePlanText(ctx context.Context, w io.Writer, c *client.Client, run string) error {
	text, err := c.RunPlanText(ctx, run)
	if err != nil {
		return err
	}
	_, err = io.WriteString(w, text)
	return err
}

// follow prints what happens to a run until it waits for a person or is over.
func follow(cmd *cobra.Command, c *client.Client, id string) (client.Run, error) {
	ctx, stop := context.WithCancel(cmd.Context())
	defer stop()
	p := newProgress(cmd.ErrOrStderr())
	defer p.stop()
	var last client.Run
	err := c.WatchRun(ctx, id, func(run client.Run) error {
		last = run
		p.update(run)
		status := engine.RunStatus(run.Status)
		if status == engine.RunPlanned || status.Final() {
			return errWatched
		}
		return nil
	})
	if err == errWatched {
		err = nil
	}
	return last, err
}

// errWatched ends a watch that has seen what it was for.
var errWatched = fmt.Errorf("watched")
