package main

import (
	"github.com/spf13/cobra"

	"github.com/cloudops-manager/cloudops/api/client"
)

func newProject() *cobra.Command {
	cmd := &cobra.Command{Use: "project", Short: "Keep stacks, credentials and variables of teams apart"}
	cmd.AddCommand(
		described(remote("create PROJECT", "Make a project, or describe it anew; its stacks are called PROJECT.NAME", exactly(1, "cloudops project create payments"),
			func(cmd *cobra.Command, c *client.Client, args []string) error {
				return c.PutProject(cmd.Context(), client.Project{Name: args[0], Description: option(cmd, "description")})
			})),
		remote("list", "List the projects of which you may see something", noArgs, listProjects),
		remote("delete PROJECT", "Delete a project in which nothing is left, with the roles that were given in it", exactly(1, "cloudops project delete payments"),
			func(cmd *cobra.Command, c *client.Client, args []string) error {
				return c.DeleteProject(cmd.Context(), args[0])
			}))
	return cmd
}

func described(cmd *cobra.Command) *cobra.Command {
	cmd.Flags().String("description", "", "what it is for")
	return cmd
}

func listProjects(cmd *cobra.Command, c *client.Client, _ []string) error {
	all, err := c.Projects(cmd.Context())
	if err != nil {
		return err
	}
	var rows [][]string
	for _, p := range all {
		rows = append(rows, []string{p.Name, dashed(p.Description)})
	}
	return show(cmd, all, table("PROJECT DESCRIPTION", rows))
}
