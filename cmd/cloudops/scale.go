package main

import (
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cloudops-manager/cloudops/api/client"
)

func newScale() *cobra.Command {
	var a followFlags
	const usage = "a stack, a component and an input, as in: cloudops scale payments terraform.web count=5"
	cmd := remote("scale STACK [COMPONENT] NAME=VALUE", "Change a variable within the bounds of its scale block, and run that",
		func(_ *cobra.Command, args []string) error {
			if len(args) != 2 && len(args) != 3 {
				return misuse(usage)
			}
			return nil
		},
		func(cmd *cobra.Command, c *client.Client, args []string) error {
			name, text, ok := strings.Cut(args[len(args)-1], "=")
			value, err := strconv.Atoi(text)
			if !ok || err != nil {
				return misuse("%q is no name with a whole number; write "+usage, args[len(args)-1])
			}
			req := client.Scale{Name: name, Value: value, Message: a.message}
			if len(args) == 3 {
				req.Component = args[1]
			}
			run, err := c.Scale(cmd.Context(), args[0], req)
			return followStarted(cmd, c, run, err, a)
		})
	a.add(cmd)
	return cmd
}
