package ansible

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/cloudops-manager/cloudops/engine"
)

// Failure is a play that failed, worded for people and without secrets. Host
// and Task are empty where Ansible refused the playbook as a whole.
type Failure struct {
	Host    string
	Task    string
	Message string
	More    int      // further tasks or hosts that failed
	Walls   []string // of the sandbox that the play met, as far as its words show
}

func (f *Failure) Error() string {
	var b strings.Builder
	if f.Host != "" {
		b.WriteString(f.Host + ": ")
	}
	if f.Task != "" {
		fmt.Fprintf(&b, "task %q: ", f.Task)
	}
	b.WriteString(f.Message)
	if f.More > 0 {
		fmt.Fprintf(&b, " (and %d more)", f.More)
	}
	for _, wall := range f.Walls {
		b.WriteString("\nSandbox: " + wall)
	}
	return b.String()
}

// How much of the output is searched for Ansible's own words, and how much of
// them an error repeats, in bytes.
const (
	searched     = 64 << 10
	maxComplaint = 2000
)

// complaint is why Ansible ended without a task that failed: what it printed
// as an error, or else how its process ended.
func (p *play) complaint(exit error) error {
	output, err := tail(p.path(outputFile), searched)
	if err != nil {
		return fmt.Errorf("ansible-playbook: %w", exit)
	}
	said := errorLines(string(output))
	if said == "" {
		return &Failure{Message: "ansible-playbook: " + exit.Error()}
	}
	return &Failure{Message: p.mask.hide(p.withoutPaths(said)), Walls: p.met()}
}

// met tells which walls the play met, as far as its output shows.
func (p *play) met() []string {
	output, err := tail(p.path(outputFile), searched)
	if err != nil {
		return nil // the failure itself is told all the same
	}
	notes := p.walls().Met(string(output))
	for i := range notes {
		notes[i] = p.mask.hide(notes[i])
	}
	return notes
}

// withoutPaths turns our own paths into those of the bundle, which its author
// knows.
func (p *play) withoutPaths(s string) string {
	folder := filepath.Dir(p.playbook)
	return strings.NewReplacer(folder+"/", "", folder, ".", p.own()+"/home", "~", p.own(), ".").Replace(s)
}

// tail reads the last n bytes of a file.
func tail(path string, n int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(io.NewSectionReader(f, max(0, size-n), n))
}

// errorLines returns the last error in Ansible's output with all that follows.
func errorLines(output string) string {
	at := regexp.MustCompile(`(?m)^(ERROR! |\[ERROR\]: |cloudops sandbox: |bwrap: )`).FindAllStringIndex(output, -1)
	if len(at) == 0 {
		return ""
	}
	said := strings.TrimSpace(output[at[len(at)-1][1]:])
	if len(said) > maxComplaint {
		said = said[:maxComplaint] + "..."
	}
	return said
}

// interrupted is the error of an apply that did not end by itself.
func interrupted(ctx context.Context) error {
	if cause := context.Cause(ctx); cause != nil {
		return fmt.Errorf("ansible-playbook: %w, and it was killed in the middle: %w", cause, engine.ErrInterrupted)
	}
	return fmt.Errorf("ansible-playbook was killed in the middle: %w", engine.ErrInterrupted)
}
