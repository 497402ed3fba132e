package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cloudops-manager/cloudops/api/client"
	"github.com/cloudops-manager/cloudops/engine"
)

func newWebhook() *cobra.Command {
	cmd := &cobra.Command{Use: "webhook", Short: "Tell others what happens, signed as Standard Webhooks says"}
	create := remote("create NAME URL", "Make a webhook and print its secret, once",
		exactly(2, "cloudops webhook create chat https://chat.example.com/in --event 'run.*' --event drift.found"), createWebhook)
	create.Flags().StringArray("event", []string{"run.*", "drift.*"}, "pattern of events to send; may be given several times")
	create.Flags().String("stack", "", "of this stack only")
	create.Flags().String("project", "", "of this project only")
	cmd.AddCommand(create,
		remote("list", "List webhooks", noArgs, listWebhooks),
		remote("test ID", "Send a message that stands for nothing", exactly(1, "cloudops webhook test whk-..."), testWebhook),
		remote("deliveries ID", "List what was sent, newest first", exactly(1, "cloudops webhook deliveries whk-..."), listDeliveries),
		remote("rotate ID", "Print a new secret; the old one signs beside it for a day", exactly(1, "cloudops webhook rotate whk-..."), rotateWebhook),
		remote("enable ID", "Send again, from now on", exactly(1, "cloudops webhook enable whk-..."), switchWebhook(false)),
		remote("disable ID", "Send nothing until it is enabled", exactly(1, "cloudops webhook disable whk-..."), switchWebhook(true)),
		remote("delete ID", "Delete a webhook", exactly(1, "cloudops webhook delete whk-..."), func(cmd *cobra.Command, c *client.Client, args []string) error {
			return c.DeleteWebhook(cmd.Context(), args[0])
		}))
	return cmd
}

func createWebhook(cmd *cobra.Command, c *client.Client, args []string) error {
	events, err := cmd.Flags().GetStringArray("event")
	if err != nil {
		return err
	}
	id, secret, err := c.CreateWebhook(cmd.Context(), client.CreateWebhook{
		Name: args[0], URL: args[1], Events: events, Stack: option(cmd, "stack"), Project: option(cmd, "project"),
	})
	if err != nil {
		return err
	}
	return showSecret(cmd, id, secret)
}

// showSecret shows what a thing was made with, which nobody can see again.
func showSecret(cmd *cobra.Command, id string, secret engine.Secret) error {
	return show(cmd, client.Signed{ID: id, Secret: secret.Reveal()}, func(w io.Writer) error {
		_, err := fmt.Fprintf(w, "%s %s\n", id, secret.Reveal())
		return err
	})
}

func rotateWebhook(cmd *cobra.Command, c *client.Client, args []string) error {
	secret, err := c.RotateWebhook(cmd.Context(), args[0])
	if err != nil {
		return err
	}
	return showSecret(cmd, args[0], secret)
}

func switchWebhook(off bool) func(*cobra.Command, *client.Client, []string) error {
	return func(cmd *cobra.Command, c *client.Client, args []string) error {
		w, err := c.UpdateWebhook(cmd.Context(), args[0], client.UpdateWebhook{Disabled: &off})
		if err != nil {
			return err
		}
		state := "is in use"
		if off {
			state = "sends nothing"
		}
		return told(cmd, w, "webhook %s %s", w.Name, state)
	}
}

// testWebhook fails where the receiver does not take the message.
func testWebhook(cmd *cobra.Command, c *client.Client, args []string) error {
	d, err := c.TestWebhook(cmd.Context(), args[0])
	if err != nil {
		return err
	}
	if d.Error != "" {
		return fmt.Errorf("not taken: %s", d.Error)
	}
	return told(cmd, d, "taken with %d after %d ms", d.Status, d.Millis)
}

func listWebhooks(cmd *cobra.Command, c *client.Client, _ []string) error {
	all, err := c.Webhooks(cmd.Context())
	if err != nil {
		return err
	}
	var rows [][]string
	for _, w := range all {
		state, of := "in use", w.Stack
		switch {
		case w.Disabled != "":
			state = "disabled: " + w.Disabled
		case w.FailingSince != nil:
			state = "failing since " + timeText(w.FailingSince)
		}
		if w.Project != "" {
			of = "project " + w.Project
		}
		rows = append(rows, []string{w.ID, w.Name, of, strings.Join(w.Events, ","), w.URL, state})
	}
	return show(cmd, all, table("WEBHOOK NAME OF EVENTS URL STATE", rows))
}

func listDeliveries(cmd *cobra.Command, c *client.Client, args []string) error {
	all, err := c.Deliveries(cmd.Context(), args[0])
	if err != nil {
		return err
	}
	var rows [][]string
	for _, d := range all {
		next := ""
		if d.NextAt != nil {
			next = timeText(d.NextAt)
		}
		rows = append(rows, []string{d.ID, d.Type, since(d.CreatedAt), strconv.Itoa(d.Attempts), strconv.Itoa(d.Status), next, d.Error})
	}
	return show(cmd, all, table("MESSAGE EVENT AGE ATTEMPTS STATUS NEXT ERROR", rows))
}
