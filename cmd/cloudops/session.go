package main

import (
	"github.com/spf13/cobra"

	"github.com/cloudops-manager/cloudops/api/client"
)

func newSession() *cobra.Command {
	cmd := &cobra.Command{Use: "session", Short: "List and end the browsers that you are signed in with"}
	end := remote("end [ID]", "Sign one of your browsers out, or all of a user", atMostOne("cloudops session end ses-0123456789abcdef"), endSession)
	end.Flags().String("user", "", "sign out all browsers of this user; takes the right to manage users")
	cmd.AddCommand(remote("list", "List the browsers that you are signed in with", noArgs, listSessions), end)
	return cmd
}

// atMostOne wants one argument or none; the example says what a right call looks like.
func atMostOne(example string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) > 1 {
			return misuse("the number of arguments is %d, not 1, as in: %s", len(args), example)
		}
		return nil
	}
}

func endSession(cmd *cobra.Command, c *client.Client, args []string) error {
	user := option(cmd, "user")
	if (user == "") == (len(args) == 0) {
		return misuse("which session? as in: cloudops session end ses-0123456789abcdef, or: cloudops session end --user ada")
	}
	if user != "" {
		return c.EndSessions(cmd.Context(), user)
	}
	return c.EndSession(cmd.Context(), args[0])
}

func newSignOn() *cobra.Command {
	cmd := &cobra.Command{Use: "sign-on", Short: "List and unlink the single sign-ons that let you in"}
	list := remote("list", "List the single sign-ons that let you in", noArgs, listSignOns)
	unlink := remote("unlink ID", "End that a single sign-on lets you in, and sign out the browsers that it let in", exactly(1, "cloudops sign-on unlink idn-0123456789abcdef"), func(cmd *cobra.Command, c *client.Client, args []string) error {
		return c.Unlink(cmd.Context(), option(cmd, "user"), args[0])
	})
	list.Flags().String("user", "", "of this user; takes the right to read who has access (default: yourself)")
	unlink.Flags().String("user", "", "of this user; takes the right to manage users (default: yourself)")
	cmd.AddCommand(list, unlink)
	return cmd
}

func listSignOns(cmd *cobra.Command, c *client.Client, _ []string) error {
	all, err := c.SignOns(cmd.Context(), option(cmd, "user"))
	if err != nil {
		return err
	}
	var rows [][]string
	for _, s := range all {
		rows = append(rows, []string{s.ID, s.User, s.Issuer, s.Subject, since(s.LinkedAt)})
	}
	return show(cmd, all, table("SIGN-ON USER ISSUER SUBJECT AGE", rows))
}

func listSessions(cmd *cobra.Command, c *client.Client, _ []string) error {
	sessions, err := c.Sessions(cmd.Context())
	if err != nil {
		return err
	}
	var rows [][]string
	for _, s := range sessions {
		rows = append(rows, []string{s.ID, since(s.CreatedAt), since(s.SeenAt), timeText(&s.ExpiresAt), s.Address, s.Via, s.Agent})
	}
	return show(cmd, sessions, table("SESSION AGE SEEN EXPIRES ADDRESS VIA BROWSER", rows))
}
