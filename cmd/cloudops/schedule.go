package main

import (
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/cloudops-manager/cloudops/api/client"
	"github.com/cloudops-manager/cloudops/engine"
)

func newSchedule() *cobra.Command {
	cmd := &cobra.Command{Use: "schedule", Short: "Start runs by the clock"}
	create := remote("create STACK NAME", "Make a schedule", exactly(2, "cloudops schedule create payments nightly --kind drift --cron '0 2 * * *'"), createSchedule)
	create.Flags().String("kind", string(engine.RunDrift), "drift, preview, apply or destroy")
	create.Flags().String("cron", "", "five fields, or @every 6h")
	create.Flags().String("timezone", "UTC", "IANA name, such as Europe/Zurich")
	cmd.AddCommand(create,
		remote("list STACK", "List the schedules of a stack", exactly(1, "cloudops schedule list payments"), listSchedules),
		remote("pause ID", "Stop a schedule from firing", exactly(1, "cloudops schedule pause sch-..."), pauseSchedule(true)),
		remote("resume ID", "Let a schedule fire again", exactly(1, "cloudops schedule resume sch-..."), pauseSchedule(false)),
		remote("delete ID", "Delete a schedule", exactly(1, "cloudops schedule delete sch-..."), func(cmd *cobra.Command, c *client.Client, args []string) error {
			return c.DeleteSchedule(cmd.Context(), args[0])
		}))
	return cmd
}

func createSchedule(cmd *cobra.Command, c *client.Client, args []string) error {
	sch, err := c.CreateSchedule(cmd.Context(), args[0], client.CreateSchedule{
		Name: args[1], Kind: option(cmd, "kind"), Cron: option(cmd, "cron"), Timezone: option(cmd, "timezone"),
	})
	if err != nil {
		return err
	}
	return show(cmd, sch, func(w io.Writer) error {
		_, err := fmt.Fprintln(w, schedulePlan(sch))
		return err
	})
}

func schedulePlan(sch client.Schedule) string {
	if sch.Paused {
		return sch.ID + " is paused"
	}
	return fmt.Sprintf("%s fires next at %s", sch.ID, sch.NextRunAt.Local().Format(time.RFC1123))
}

func pauseSchedule(paused bool) func(*cobra.Command, *client.Client, []string) error {
	return func(cmd *cobra.Command, c *client.Client, args []string) error {
		sch, err := c.PauseSchedule(cmd.Context(), args[0], paused)
		if err != nil {
			return err
		}
		return told(cmd, sch, "%s", schedulePlan(sch))
	}
}

func listSchedules(cmd *cobra.Command, c *client.Client, args []string) error {
	all, err := c.Schedules(cmd.Context(), args[0])
	if err != nil {
		return err
	}
	var rows [][]string
	for _, s := range all {
		next := s.NextRunAt.Local().Format("2006-01-02 15:04")
		if s.Paused {
			next = "paused"
		}
		rows = append(rows, []string{s.ID, s.Name, s.Kind, s.Cron, s.Timezone, next, s.LastRun})
	}
	return show(cmd, all, table("SCHEDULE NAME KIND CRON TIMEZONE NEXT LAST-RUN", rows))
}
