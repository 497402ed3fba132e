package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cloudops-manager/cloudops/api/client"
	"github.com/cloudops-manager/cloudops/engine"
)

func newRunShow() *cobra.Command {
	return &cobra.Command{
		Use: "show RUN", Short: "Show a run with its joint plan", Args: exactly(1, "cloudops run show run-..."),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := connect(cmd)
			if err != nil {
				return err
			}
			run, err := c.Run(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			if inJSON(cmd) {
				return show(cmd, run, nil)
			}
			writeRun(cmd.OutOrStdout(), run)
			if err := writeWaits(cmd, c, run); err != nil {
				return err
			}
			if err := writeProgress(cmd, c, run); err != nil {
				return err
			}
			if run.PurgedAt != nil {
				fmt.Fprintf(cmd.OutOrStdout(), "logs and plans were removed on %s, by the rules of retention\n", run.PurgedAt.UTC().Format("2006-01-02"))
				return nil
			}
			if err := showPlan(cmd, c, run.ID); err != nil {
				return err
			}
			_, err = fmt.Fprint(cmd.OutOrStdout(), planNote(run))
			return err
		},
	}
}

// writeWaits says of a plan that waits what for.
func writeWaits(cmd *cobra.Command, c *client.Client, run client.Run) error {
	if run.Status != string(engine.RunPlanned) {
		return nil
	}
	d, err := c.Decision(cmd.Context(), run.ID)
	if err == nil {
		writeDecision(cmd.OutOrStdout(), d)
	}
	return err
}

// planNote says of a plan that steps are missing from it, so that nobody takes
// what was planned by then for all.
func planNote(run client.Run) string {
	switch status := engine.RunStatus(run.Status); {
	case run.PlannedAt != nil || status == engine.RunSucceeded:
		return ""
	case status.Final():
		return "The plan is not whole: the run ended before.\n"
	default:
		return "The plan is not whole yet.\n"
	}
}

func writeRun(w io.Writer, run client.Run) {
	fmt.Fprintf(w, "%s of stack %s, revision %d: %s%s\n", run.Kind, run.Stack, run.Revision,
		paint(w, statusColour(run.Status), run.Status), because(run.Reason))
	fmt.Fprintf(w, "started by %s %s ago%s\n", run.StartedBy, since(run.CreatedAt), because(run.Message))
	for _, a := range run.Approvals {
		fmt.Fprintf(w, "%s by %s%s\n", a.Verdict, a.By, because(a.Comment))
	}
	if g := run.Glass; g != nil {
		fmt.Fprintf(w, "BREAK-GLASS asked for by %s: %s%s\n", g.By, g.Reason, confirmedBy(g.With))
	}
	writeWalls(w, run.Steps)
	fmt.Fprintln(w)
}

// writeWalls says what was around the steps, once for those that have the same.
func writeWalls(w io.Writer, steps []client.Step) {
	var all []string
	around := map[string][]string{}
	for _, s := range steps {
		if s.Walls != "" && around[s.Walls] == nil {
			all = append(all, s.Walls)
		}
		around[s.Walls] = append(around[s.Walls], s.Address)
	}
	for _, walls := range all {
		fmt.Fprintf(w, "walls around %s: %s\n", strings.Join(around[walls], ", "), walls)
	}
}

func confirmedBy(name string) string {
	if name == "" {
		return "; nobody has confirmed it"
	}
	return "; confirmed by " + name
}

// writeProgress says of the steps that did not end well why, and how far their
// applies came.
func writeProgress(cmd *cobra.Command, c *client.Client, run client.Run) error {
	w := cmd.OutOrStdout()
	for _, s := range run.Steps {
		if !engine.StepStatus(s.Status).CutShort() {
			continue
		}
		p, err := c.Progress(cmd.Context(), s.ID)
		if err != nil {
			return err
		}
		begun := len(p.Finished)+len(p.Unknown) > 0 || s.Status == string(engine.StepInterrupted)
		if !begun && s.Reason == "" {
			continue
		}
		fmt.Fprintf(w, "%s %s%s\n", s.Address, became(s.Status), because(s.Reason))
		for _, line := range p.Lines {
			if begun {
				fmt.Fprintf(w, "  %s\n", line)
			}
		}
		fmt.Fprintln(w)
	}
	return nil
}
