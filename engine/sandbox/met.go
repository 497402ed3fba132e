package sandbox

import (
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Met tells which walls a program met, as far as its own words show, and what an
// operator can do about it. The kernel tells only the program.
func (w Walls) Met(said string) (notes []string) {
	if !w.up() {
		return nil
	}
	for line := range strings.Lines(said) {
		for _, note := range w.metIn(line) {
			if !slices.Contains(notes, note) && len(notes) < maxNotes {
				notes = append(notes, note)
			}
		}
	}
	return notes
}

// maxNotes is how many walls are told of at once.
const maxNotes = 5

// The words of programs that were refused something, and where they name what.
var (
	refusal  = regexp.MustCompile(`(?i)permission denied|operation not permitted|read-only file system`)
	missing  = regexp.MustCompile(`(?i)no such file or directory`)
	address  = regexp.MustCompile(`\S:(\d{1,5}): connect: permission denied|(?i:port (\d{1,5})\b.*(?:permission denied|couldn't connect|could not connect))`)
	listened = regexp.MustCompile(`(?i)bind: permission denied|can't bind|cannot bind`)
	apart    = regexp.MustCompile(`(?i)unshare.*operation not permitted|(?:new|user) namespace.*(?:failed|not permitted|denied)|no permissions to create.* namespace|cannot clone: operation not permitted`)
	raised   = regexp.MustCompile(`(?i)no new privileges`)
	absolute = regexp.MustCompile(`(?:^|[\s'"(=:])(/[^\s'":;,()]+)`)
)

func (w Walls) metIn(line string) (notes []string) {
	if found := address.FindStringSubmatch(line); found != nil {
		port, err := strconv.Atoi(found[1] + found[2])
		if err == nil && !slices.Contains(w.Connect, port) {
			return []string{noConnect(port)}
		}
	}
	if listened.MatchString(line) {
		return []string{"a step may not listen on a TCP port"}
	}
	if apart.MatchString(line) {
		return []string{"a step makes no namespaces of its own, as containers and browsers do"}
	}
	if raised.MatchString(line) {
		return []string{"a step gets no more powers, by sudo neither"}
	}
	refused := refusal.MatchString(line)
	if refused || w.Bubblewrap != "" && missing.MatchString(line) {
		for _, found := range absolute.FindAllStringSubmatch(line, -1) {
			if note := w.path(filepath.Clean(found[1]), refused); note != "" {
				notes = append(notes, note)
			}
		}
	}
	if note := w.Limits.met(line); note != "" {
		notes = append(notes, note)
	}
	return notes
}

func noConnect(port int) string {
	what := ""
	if port == metadataPort {
		what = ", where clouds give a machine its credentials"
	}
	return fmt.Sprintf("a step may not connect to TCP port %d%s; the operator of the worker opens it with --sandbox-connect %d", port, what, port)
}

// path says what of the walls is in the way of a path; "" for nothing.
func (w Walls) path(path string, refused bool) string {
	switch {
	case within(w.Write, path), strings.HasPrefix(path, "/dev/"), w.Tmp != "" && within([]string{"/tmp"}, path):
		return ""
	case !within(w.Read, path):
		return fmt.Sprintf("%s lies outside what a step sees; the operator of the worker opens it with --sandbox-read, or --sandbox-write, and a folder of it", path)
	case refused && !within([]string{"/proc"}, path):
		return fmt.Sprintf("a step may only read %s; the operator of the worker opens it with --sandbox-write and a folder of it", path)
	}
	return ""
}

func within(folders []string, path string) bool {
	return slices.ContainsFunc(folders, func(dir string) bool {
		rel, err := filepath.Rel(dir, path)
		return err == nil && filepath.IsLocal(rel)
	})
}

// met says which limit the words tell of; "" for none.
func (l Limits) met(line string) string {
	line = strings.ToLower(line)
	says := func(words ...string) bool {
		return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(line, w) })
	}
	switch {
	case l.FileSize > 0 && says("file too large", "file size limit exceeded"):
		return fmt.Sprintf("a file of a step may have %d bytes, see --sandbox-file-size", l.FileSize)
	case l.Memory > 0 && says("cannot allocate memory", "out of memory"):
		return fmt.Sprintf("a process of a step may have %d bytes of memory, see --sandbox-memory", l.Memory)
	case l.Processes > 0 && says("resource temporarily unavailable", "pthread_create failed", "can't fork", "cannot fork"):
		return fmt.Sprintf("a step may have %d processes and threads, see --sandbox-processes", l.Processes)
	case l.Files > 0 && says("too many open files"):
		return fmt.Sprintf("a process of a step may have %d files open, see --sandbox-files", l.Files)
	}
	return ""
}
