package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/cloudops-manager/cloudops/api/client"
	"github.com/cloudops-manager/cloudops/engine"
)

// addCompletion lets the shell complete what a command and those below it take:
// arguments by the placeholders of their usage, flags by their names.
func addCompletion(cmd *cobra.Command) {
	for _, below := range cmd.Commands() {
		addCompletion(below)
	}
	if !cmd.HasSubCommands() {
		cmd.ValidArgsFunction = completeArgument
	}
	for name, complete := range map[string]cobra.CompletionFunc{
		"kind": fixed(engine.RunApply, engine.RunDestroy, engine.RunPreview, engine.RunDrift), "status": fixed(engine.RunStatuses()...),
		"output": fixed("text", "json"), "stack": completeStacks,
	} {
		if cmd.Flags().Lookup(name) != nil || cmd.PersistentFlags().Lookup(name) != nil {
			_ = cmd.RegisterFlagCompletionFunc(name, complete) // an error says that there is one already
		}
	}
}

// fixed completes one of a few words.
func fixed[T ~string](words ...T) cobra.CompletionFunc {
	all := make([]cobra.Completion, len(words))
	for i, w := range words {
		all[i] = string(w)
	}
	return cobra.FixedCompletions(all, cobra.ShellCompDirectiveNoFileComp)
}

// completeArgument completes an argument by its placeholder.
func completeArgument(cmd *cobra.Command, args []string, prefix string) ([]cobra.Completion, cobra.ShellCompDirective) {
	placeholders := strings.Fields(cmd.Use)[1:]
	if len(args) >= len(placeholders) {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	switch placeholders[len(args)] {
	case "STACK":
		return completeStacks(cmd, args, prefix)
	case "RUN":
		return completeRuns(cmd, args, prefix)
	case "[FOLDER]":
		return nil, cobra.ShellCompDirectiveFilterDirs
	}
	return nil, cobra.ShellCompDirectiveNoFileComp
}

func completeStacks(cmd *cobra.Command, _ []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return completed(cmd, func(ctx context.Context, c *client.Client) (found []cobra.Completion, err error) {
		stacks, err := client.All(ctx, c.Stacks)
		for _, s := range stacks {
			found = append(found, cobra.CompletionWithDesc(s.Name, s.Description))
		}
		return found, err
	})
}

func completeRuns(cmd *cobra.Command, _ []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return completed(cmd, func(ctx context.Context, c *client.Client) (found []cobra.Completion, err error) {
		page, err := c.Runs(ctx, client.RunFilter{}, client.Page{Limit: largestPage})
		for _, r := range page.Items {
			found = append(found, cobra.CompletionWithDesc(r.ID, fmt.Sprintf("%s of %s, %s", r.Kind, r.Stack, r.Status)))
		}
		return found, err
	})
}

// completionTime is how long somebody who has pressed the key is kept waiting.
const completionTime = 3 * time.Second

// completed asks the server for words, of which the shell takes those that fit.
// Who completes a line is not told what went wrong: the command itself will
// say it.
func completed(cmd *cobra.Command, ask func(context.Context, *client.Client) ([]cobra.Completion, error)) ([]cobra.Completion, cobra.ShellCompDirective) {
	ctx, stop := context.WithTimeout(cmd.Context(), completionTime)
	defer stop()
	_ = fromEnvironment(cmd)
	c, err := connect(cmd)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	words, _ := ask(ctx, c)
	return words, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
}
