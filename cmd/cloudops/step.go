package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/cloudops-manager/cloudops/api/client"
	"github.com/cloudops-manager/cloudops/engine"
	"github.com/cloudops-manager/cloudops/engine/blueprint"
	"github.com/cloudops-manager/cloudops/engine/runner"
	"github.com/cloudops-manager/cloudops/engine/sandbox"
)

// newStep is the runner's own command. Workers start it; people do not.
func newStep() *cobra.Command {
	return &cobra.Command{
		Use:    "step FOLDER",
		Short:  "Carry out one step, as a worker ordered it in the folder",
		Hidden: true,
		Args:   exactly(1, "cloudops step FOLDER"),
		RunE:   func(cmd *cobra.Command, args []string) error { return step(cmd.Context(), args[0]) },
	}
}

func step(ctx context.Context, dir string) error {
	if err := errors.Join(sandbox.Conceal(), sandbox.KeepOpenFiles()); err != nil {
		return err
	}
	syscall.Umask(0o022) // users of steps read what is put into the provider store
	if err := runner.Hold(dir); errors.Is(err, runner.ErrTaken) {
		return nil
	} else if err != nil {
		return err
	}
	order, err := runner.ReadOrder(dir)
	if err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	api := client.New(order.API, engine.Secret(order.Token))
	r := &runner.Runner{
		API:        api.Runner(),
		Tools:      newTools(order.Settings, log),
		Sources:    runner.Sources{Root: sourcesDir(order.Settings["data-dir"]), Extract: blueprint.Extract},
		Secrets:    newResolver(order.Settings),
		StateToken: engine.Secret(order.StateToken),
		Dir:        dir,
		Walls:      wallsOf(order.Settings).String(),
		Log:        log,
	}
	if err := r.Run(ctx); err != nil {
		return err
	}
	return sandbox.RemoveAll(dir)
}
