package main

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/cloudops-manager/cloudops/api/client"
)

func newTeam() *cobra.Command {
	cmd := &cobra.Command{Use: "team", Short: "Put people together who are given the same roles"}
	cmd.AddCommand(
		described(remote("create TEAM", "Make a team, or describe it anew", exactly(1, "cloudops team create web"),
			func(cmd *cobra.Command, c *client.Client, args []string) error {
				return c.PutTeam(cmd.Context(), args[0], option(cmd, "description"))
			})),
		remote("add TEAM USER", "Put a user into a team", exactly(2, "cloudops team add web ada"),
			func(cmd *cobra.Command, c *client.Client, args []string) error {
				return c.AddMember(cmd.Context(), args[0], args[1])
			}),
		remote("remove TEAM USER", "Take a user out of a team", exactly(2, "cloudops team remove web ada"),
			func(cmd *cobra.Command, c *client.Client, args []string) error {
				return c.RemoveMember(cmd.Context(), args[0], args[1])
			}),
		remote("list", "List teams with who is in them", noArgs, listTeams),
		remote("delete TEAM", "Delete a team with the roles that it was given", exactly(1, "cloudops team delete web"),
			func(cmd *cobra.Command, c *client.Client, args []string) error {
				return c.DeleteTeam(cmd.Context(), args[0])
			}))
	return cmd
}

func listTeams(cmd *cobra.Command, c *client.Client, _ []string) error {
	all, err := c.Teams(cmd.Context())
	if err != nil {
		return err
	}
	var rows [][]string
	for _, t := range all {
		var members []string
		for _, m := range t.Members {
			members = append(members, m.User)
		}
		rows = append(rows, []string{t.Name, dashed(strings.Join(members, ",")), dashed(t.Description)})
	}
	return show(cmd, all, table("TEAM MEMBERS DESCRIPTION", rows))
}
