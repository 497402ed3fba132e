package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os/exec"
	"runtime"
	"time"

	"github.com/spf13/cobra"

	"github.com/cloudops-manager/cloudops/api/client"
)

// signInByBrowser gets a token once somebody has confirmed a code in a browser.
func signInByBrowser(cmd *cobra.Command, server string, open bool) error {
	c := client.New(server, "")
	d, err := c.BeginDevice(cmd.Context(), loginLabel())
	if err != nil {
		return err
	}
	complete := server + d.CompletePath
	fmt.Fprintf(cmd.ErrOrStderr(), "To sign in, open %s\nand confirm the code %s. It is good for %d minutes.\n", complete, d.UserCode, d.ExpiresIn/60)
	if open {
		openBrowser(complete)
	}
	token, err := awaitDevice(cmd.Context(), c, d, time.After)
	if err != nil {
		return err
	}
	return keepToken(cmd, server, token)
}

// openBrowser shows an address in the person's browser. Where that fails the
// address stands on the terminal.
func openBrowser(address string) {
	program := map[string][]string{"darwin": {"open"}, "windows": {"rundll32", "url.dll,FileProtocolHandler"}}[runtime.GOOS]
	if program == nil {
		program = []string{"xdg-open"}
	}
	cmd := exec.Command(program[0], append(program[1:], address)...)
	if cmd.Start() == nil {
		go func() { _ = cmd.Wait() }() // so that it does not stay as a zombie
	}
}

// awaitDevice asks until somebody has answered or the code expires. Without an
// answer of the server's own it asks again: it may be started anew meanwhile.
// Source: RFC 8628, section 3.5.
func awaitDevice(ctx context.Context, c *client.Client, d client.DeviceLogin, after func(time.Duration) <-chan time.Time) (client.NewToken, error) {
	ctx, stop := context.WithTimeoutCause(ctx, time.Duration(d.ExpiresIn)*time.Second, errors.New("nobody confirmed the code in time; begin again"))
	defer stop()
	for pause := time.Duration(d.Interval) * time.Second; ; {
		select {
		case <-ctx.Done():
			return client.NewToken{}, context.Cause(ctx)
		case <-after(pause):
		}
		token, err := c.RedeemDevice(ctx, d.DeviceCode)
		var refused *client.Error
		switch answered := errors.As(err, &refused); {
		case err == nil:
			return token, nil
		case answered && refused.Code == client.CodeSlowDown:
			pause += 5 * time.Second
		case answered && refused.Code != client.CodePending && refused.Status < http.StatusInternalServerError:
			return token, err
		}
	}
}
