package blueprint

import (
	"bytes"
	"context"
	"strconv"
	"strings"

	"github.com/cloudops-manager/cloudops/engine"
)

// The bounds of what one commit of a repository holds. It may be very much more
// than what was fetched: the same folder can be in a commit any number of times.
const (
	maxCommitBytes = 512 << 20
	maxCommitFiles = 100_000 // and folders
)

// measure refuses a commit that holds too much, before anything of it is written.
func (g GitCLI) measure(ctx context.Context, dir, commit string) error {
	var m commitSize
	err := g.runTo(ctx, &m, dir, "ls-tree", "-r", "-l", "-z", "--full-tree", commit)
	if m.files > maxCommitFiles || m.bytes > maxCommitBytes {
		return engine.Invalid("the repository has more than %d files and folders or %s in one commit; give the module a repository of its own", maxCommitFiles, bytesText(maxCommitBytes))
	}
	return err
}

// commitSize adds up what git ls-tree lists, and takes no more once that is too much.
type commitSize struct {
	files, bytes int64
	begun        []byte // of a line that is not whole yet
	last         string // name in the line before
}

// Write implements io.Writer.
func (m *commitSize) Write(p []byte) (int, error) {
	lines := bytes.Split(append(m.begun, p...), []byte{0})
	m.begun = bytes.Clone(lines[len(lines)-1])
	for _, line := range lines[:len(lines)-1] {
		m.add(line)
	}
	if m.files > maxCommitFiles || m.bytes > maxCommitBytes {
		return 0, engine.ErrInvalid
	}
	return len(p), nil
}

// add counts one line: mode, type, object and size, a tab and the name. What is no
// file, such as a submodule, has no size. Names come in order, so that folders which
// the one before was not in are new.
func (m *commitSize) add(line []byte) {
	facts, name, _ := strings.Cut(string(line), "\t")
	if fields := strings.Fields(facts); len(fields) == 4 {
		size, _ := strconv.ParseInt(fields[3], 10, 64)
		m.bytes += size
	}
	same := 0
	for same < min(len(name), len(m.last)) && name[same] == m.last[same] {
		same++
	}
	m.files += 1 + int64(strings.Count(name[same:], "/"))
	m.last = name
}
