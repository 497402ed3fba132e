package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/cloudops-manager/cloudops/api/client"
	"github.com/cloudops-manager/cloudops/engine"
)

func newRun() *cobra.Command {
	cmd := &cobra.Command{Use: "run", Short: "Look at runs and steer them"}
	cmd.AddCommand(newRunStart(), newRunList(), newRunShow(), newRunWatch(), newRunLogs(),
		newRunDecision("approve", "Approve the plan that a run waits with", (*client.Client).Approve),
		newRunDecision("discard", "Turn the plan of a run down", discard),
		newRunApply(), newRunCancel(), newRunRetry())
	return cmd
}

func discard(c *client.Client, ctx context.Context, id, _, comment string) (client.Run, error) {
	return c.Discard(ctx, id, comment)
}

func newRunStart() *cobra.Command {
	var a applyFlags
	var kind string
	var revision int
	cmd := &cobra.Command{
		Use: "start STACK", Short: "Start a run of a stack's newest, or another, revision", Args: exactly(1, "cloudops run start payments --kind preview"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := connect(cmd)
			if err != nil {
				return err
			}
			return startAndFollow(cmd, c, args[0], client.StartRun{Kind: kind, Revision: revision, Message: a.message}, a)
		},
	}
	cmd.Flags().StringVar(&kind, "kind", string(engine.RunApply), "apply, destroy, preview or drift")
	cmd.Flags().IntVar(&revision, "revision", 0, "revision to run (default the newest)")
	a.add(cmd)
	return cmd
}

func newRunList() *cobra.Command {
	var f client.RunFilter
	var limit int
	cmd := &cobra.Command{
		Use: "list", Short: "List runs, newest first", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := connect(cmd)
			if err != nil {
				return err
			}
			runs, more, err := upTo(cmd.Context(), limit, func(ctx context.Context, p client.Page) (client.List[client.Run], error) {
				return c.Runs(ctx, f, p)
			})
			if err != nil {
				return err
			}
			if err := show(cmd, runs, runTable(cmd.OutOrStdout(), runs)); err != nil || !more {
				return err
			}
			_, err = fmt.Fprintf(cmd.ErrOrStderr(), "there are more; --limit 0 shows all, --limit %d twice as many\n", 2*limit)
			return err
		},
	}
	cmd.Flags().IntVar(&limit, "limit", 50, "how many at most; 0 for all")
	cmd.Flags().StringVar(&f.Stack, "stack", "", "of this stack only")
	cmd.Flags().StringVar(&f.Status, "status", "", "with this status only")
	cmd.Flags().StringVar(&f.Kind, "kind", "", "of this kind only")
	return cmd
}

func runTable(w io.Writer, runs []client.Run) func(io.Writer) error {
	var rows [][]string
	for _, r := range runs {
		rows = append(rows, []string{r.ID, r.Stack, r.Kind, paint(w, statusColour(r.Status), r.Status), r.Summary.Engine().String(), r.StartedBy, since(r.CreatedAt)})
	}
	return table("RUN STACK KIND "+paint(w, "01", "STATUS")+" PLAN BY AGE", rows)
}

func newRunWatch() *cobra.Command {
	return &cobra.Command{
		Use: "watch RUN", Short: "Follow a run until it waits for a person or is over", Args: exactly(1, "cloudops run watch run-..."),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := connect(cmd)
			if err != nil {
				return err
			}
			run, err := follow(cmd, c, args[0])
			if err != nil {
				return err
			}
			readable := run.Status == string(engine.RunPlanned) || run.Kind == string(engine.RunPreview)
			return finished(cmd, c, run, readable && !inJSON(cmd))
		},
	}
}

func newRunLogs() *cobra.Command {
	var component string
	var followLog bool
	cmd := &cobra.Command{
		Use: "logs RUN", Short: "Print the logs of a run's steps", Args: exactly(1, "cloudops run logs run-... --component terraform.web"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := connect(cmd)
			if err != nil {
				return err
			}
			run, err := c.Run(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			return writeLogs(cmd, c, run, component, followLog)
		},
	}
	cmd.Flags().StringVar(&component, "component", "", "of this component only, such as terraform.web")
	cmd.Flags().BoolVar(&followLog, "follow", false, "go on until the step is over")
	return cmd
}

func writeLogs(cmd *cobra.Command, c *client.Client, run client.Run, component string, followLog bool) error {
	found := false
	for _, s := range run.Steps {
		if component != "" && s.Address != component {
			continue
		}
		found = true
		if component == "" {
			fmt.Fprintf(cmd.OutOrStdout(), "%s\n", paint(cmd.OutOrStdout(), "1", s.Address))
		}
		if err := writeLog(cmd, c, s, followLog); err != nil {
			return err
		}
	}
	if !found {
		return fmt.Errorf("run %s has no component %s", run.ID, component)
	}
	return nil
}

func writeLog(cmd *cobra.Command, c *client.Client, s client.Step, followLog bool) error {
	if followLog {
		_, err := c.FollowLog(cmd.Context(), s.ID, 0, cmd.OutOrStdout())
		return err
	}
	return c.Log(cmd.Context(), s.ID, cmd.OutOrStdout())
}

// newRunDecision makes approve and discard, which differ in one call.
func newRunDecision(name, short string, decide func(c *client.Client, ctx context.Context, id, digest, comment string) (client.Run, error)) *cobra.Command {
	var digest, comment string
	cmd := &cobra.Command{
		Use: name + " RUN", Short: short, Args: exactly(1, "cloudops run "+name+" run-..."),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := connect(cmd)
			if err != nil {
				return err
			}
			if digest == "" {
				run, err := c.Run(cmd.Context(), args[0])
				if err != nil {
					return err
				}
				digest = run.Digest
			}
			run, err := decide(c, cmd.Context(), args[0], digest, comment)
			if err != nil {
				return err
			}
			return told(cmd, run, "%s", decided(run))
		},
	}
	if name == "approve" {
		cmd.Flags().StringVar(&digest, "digest", "", "digest of the plan that is meant, as run show prints it (default the plan that waits now)")
	}
	cmd.Flags().StringVarP(&comment, "comment", "m", "", "why")
	return cmd
}

// decided says what became of a run by a person's word.
func decided(run client.Run) string {
	if run.Status == string(engine.RunPlanned) {
		return nextStep(run)
	}
	return fmt.Sprintf("run %s %s", run.ID, became(run.Status))
}

func newRunRetry() *cobra.Command {
	var a followFlags
	cmd := remote("retry RUN", "Start a run of what another one did not finish", exactly(1, "cloudops run retry run-..."),
		func(cmd *cobra.Command, c *client.Client, args []string) error {
			run, err := c.Retry(cmd.Context(), args[0], a.message)
			return followStarted(cmd, c, run, err, a)
		})
	a.add(cmd)
	return cmd
}

func newRunCancel() *cobra.Command {
	return &cobra.Command{
		Use: "cancel RUN", Short: "Stop a run; asked twice, kill what runs", Args: exactly(1, "cloudops run cancel run-..."),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := connect(cmd)
			if err != nil {
				return err
			}
			run, err := c.Cancel(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			return told(cmd, run, "%s", cancelled(run))
		},
	}
}

// cancelled says what became of a run that was to stop: one that had nothing
// in hand is over, another has yet to end.
func cancelled(run client.Run) string {
	if engine.RunStatus(run.Status).Final() {
		return fmt.Sprintf("run %s %s", run.ID, became(run.Status))
	}
	return fmt.Sprintf("run %s is %s and told to stop; see it end with: cloudops run watch %[1]s", run.ID, run.Status)
}
