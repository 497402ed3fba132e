package terraform

import (
	"context"
	"fmt"
	"strings"

	"github.com/cloudops-manager/cloudops/engine"
)

// Failure is Terraform's own no.
type Failure struct {
	Command string
	Errors  []string // each with its place and detail
	More    int      // errors that were too many to keep
	Output  string   // what it said besides, where it gave no reason
	Walls   []string // of the sandbox that it met, as far as its words show
}

// Error gives every reason.
func (f *Failure) Error() string {
	text := strings.Join(f.Errors, "\n")
	if len(f.Errors) == 0 {
		text = f.Output
	}
	if f.More > 0 {
		text += fmt.Sprintf("\nand %d errors more, which the log has", f.More)
	}
	for _, wall := range f.Walls {
		text += "\nSandbox: " + wall
	}
	return fmt.Sprintf("terraform %s: %s", f.Command, text)
}

// phaseError names the command that failed. It asks ctx, not err, why it was
// cut short.
func phaseError(ctx context.Context, command string, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return fmt.Errorf("terraform %s: %w", command, cause)
	}
	return fmt.Errorf("terraform %s: %w", command, err)
}

// interrupted is the error of an apply that did not end by itself.
func interrupted(ctx context.Context) error {
	if cause := context.Cause(ctx); cause != nil {
		return fmt.Errorf("terraform apply: %w, and it was killed in the middle: %w", cause, engine.ErrInterrupted)
	}
	return fmt.Errorf("terraform apply was killed in the middle: %w", engine.ErrInterrupted)
}
