package certs

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"
)

// Files is a certificate in two files, in PEM. They may be replaced at any
// time; those that do not fit together are not taken.
type Files struct {
	cert, key string
	log       *slog.Logger
	now       func() time.Time

	mu     sync.Mutex
	loaded *tls.Certificate
	stamp  string    // of the files that were tried last
	next   time.Time // look at them again
}

// lookEvery is how long a replaced file may go unnoticed.
const lookEvery = time.Second

// Open reads the files.
func Open(cert, key string, log *slog.Logger, now func() time.Time) (*Files, error) {
	f := &Files{cert: cert, key: key, log: log, now: now}
	var err error
	if f.stamp, err = f.look(); err != nil {
		return nil, err
	}
	if err := f.load(); err != nil {
		return nil, err
	}
	return f, nil
}

// Certificate is for tls.Config.GetCertificate.
func (f *Files) Certificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if now := f.now(); !now.Before(f.next) {
		f.next = now.Add(lookEvery)
		f.refresh()
	}
	return f.loaded, nil
}

// refresh loads what was replaced. Whoever replaces one file after the other
// leaves a moment in which they do not fit; what was loaded serves until they do.
func (f *Files) refresh() {
	stamp, err := f.look()
	if err == nil && stamp == f.stamp {
		return
	}
	if err == nil {
		err = f.load()
	}
	if err != nil {
		if stamp != f.stamp {
			f.log.Warn("the certificate was replaced by one that is not taken; the one before serves on", "err", err)
		}
		f.stamp = stamp
		return
	}
	f.stamp = stamp
	f.log.Info("the certificate was replaced", "until", f.loaded.Leaf.NotAfter)
}

// look tells the files from others of the same names.
func (f *Files) look() (string, error) {
	var stamp string
	for _, name := range []string{f.cert, f.key} {
		info, err := os.Stat(name)
		if err != nil {
			return "", err
		}
		stamp += fmt.Sprint(info.ModTime().UnixNano(), " ", info.Size(), " ")
	}
	return stamp, nil
}

func (f *Files) load() error {
	pair, err := tls.LoadX509KeyPair(f.cert, f.key)
	if err != nil {
		return fmt.Errorf("certificate %s with key %s: %w", f.cert, f.key, err)
	}
	f.loaded = &pair
	return nil
}
