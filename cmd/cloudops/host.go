package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cloudops-manager/cloudops/api/client"
)

func newHost() *cobra.Command {
	cmd := &cobra.Command{Use: "host", Short: "Look at the machines that playbooks were run on"}
	list := remote("list STACK", "List hosts with what made them", exactly(1, "cloudops host list payments"), listHosts)
	list.Flags().Bool("retired", false, "those that are gone, too")
	forget := withReason(remote("forget-key STACK HOST", "Forget the SSH keys of a host; the next play takes those that it shows then",
		exactly(2, "cloudops host forget-key payments web-1 --reason 'it was set up anew'"),
		func(cmd *cobra.Command, c *client.Client, args []string) error {
			if err := c.ForgetHostKey(cmd.Context(), args[0], args[1], option(cmd, "reason")); err != nil {
				return err
			}
			fmt.Fprintf(cmd.ErrOrStderr(), "the keys of %s are forgotten\n", args[1])
			return nil
		}))
	cmd.AddCommand(list, forget, remote("show STACK HOST", "Show a host with its facts", exactly(2, "cloudops host show payments web-1"), showHost))
	return cmd
}

func listHosts(cmd *cobra.Command, c *client.Client, args []string) error {
	retired, err := cmd.Flags().GetBool("retired")
	if err != nil {
		return err
	}
	hosts, err := c.Hosts(cmd.Context(), args[0], retired)
	if err != nil {
		return err
	}
	var rows [][]string
	for _, h := range hosts {
		state := "in use"
		if h.RetiredAt != nil {
			state = "retired: " + h.RetiredWhy
		}
		rows = append(rows, []string{h.Name, h.Address, h.Component, madeBy(h), since(h.LastSeen), state})
	}
	return show(cmd, hosts, table("HOST ADDRESS PLAYBOOK RESOURCE SEEN STATE", rows))
}

// madeBy names the resource that a host is.
func madeBy(h client.Host) string {
	if h.MadeBy == "" {
		return "-"
	}
	return h.MadeBy + ":" + h.Resource
}

func showHost(cmd *cobra.Command, c *client.Client, args []string) error {
	hosts, err := c.Hosts(cmd.Context(), args[0], false)
	if err != nil {
		return err
	}
	for _, h := range hosts {
		if h.Name == args[1] {
			return show(cmd, h, func(w io.Writer) error { return writeHost(w, h) })
		}
	}
	return fmt.Errorf("stack %s has no host %q in use; see: cloudops host list %[1]s", args[0], args[1])
}

func writeHost(w io.Writer, h client.Host) error {
	fmt.Fprintf(w, "%s at %s, in %s of %s\n", h.Name, h.Address, strings.Join(h.Groups, ", "), h.Component)
	if h.MadeBy != "" {
		fmt.Fprintf(w, "made by %s %s\n", madeBy(h), h.ResourceID)
	}
	fmt.Fprintf(w, "first seen in %s, last in %s\n", h.FirstRun, h.LastRun)
	for _, k := range h.Keys {
		fmt.Fprintf(w, "known by %s\n", k)
	}
	if len(h.Facts) > 0 {
		fmt.Fprintf(w, "%s\n", h.Facts)
	}
	return nil
}
