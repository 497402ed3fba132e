package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// fromEnvironment fills each flag that was not given from CLOUDOPS_NAME or
// from the file that CLOUDOPS_NAME_FILE names.
func fromEnvironment(cmd *cobra.Command) error {
	var errs []error
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if f.Changed || f.Name == "help" || f.Name == "version" {
			return
		}
		name := "CLOUDOPS_" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
		read := environment
		if f.Name == "master-key" { // CLOUDOPS_MASTER_KEY_FILE belongs to --master-key-file
			read = variable
		}
		value, ok, err := read(name)
		if err == nil && ok {
			err = cmd.Flags().Set(f.Name, value)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", name, err))
		}
	})
	if len(errs) > 0 {
		return &exitError{code: exitMisuse, err: errors.Join(errs...)}
	}
	return nil
}

// variable reads a variable.
func variable(name string) (value string, ok bool, err error) {
	value, ok = os.LookupEnv(name)
	return value, ok, nil
}

// environment reads a variable, or the file that the variable with _FILE
// behind its name names.
func environment(name string) (value string, ok bool, err error) {
	if v, ok := os.LookupEnv(name); ok {
		return v, true, nil
	}
	path, ok := os.LookupEnv(name + "_FILE")
	if !ok {
		return "", false, nil
	}
	b, err := os.ReadFile(path)
	return strings.TrimRight(string(b), "\r\n"), err == nil, err
}

// defaultDataDir is where a server keeps its data unless told otherwise.
func defaultDataDir() string {
	if dir := os.Getenv("XDG_DATA_HOME"); dir != "" {
		return filepath.Join(dir, "cloudops")
	}
	if home, err := os.UserHomeDir(); err == nil {
		return filepath.Join(home, ".local", "share", "cloudops")
	}
	return "cloudops-data"
}

// login is what `cloudops login` keeps for the commands after it.
type login struct {
	Server string `json:"server"`
	Token  string `json:"token"`
}

func loginPath() (string, error) {
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", fmt.Errorf("no folder for settings: %w; set CLOUDOPS_SERVER and CLOUDOPS_TOKEN instead", err)
	}
	return filepath.Join(dir, "cloudops", "login.json"), nil
}

// readLogin reads what was kept; nothing where nobody has signed in.
func readLogin() (login, error) {
	var l login
	path, err := loginPath()
	if err != nil {
		return l, nil // no home: the flags have to say it
	}
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return l, nil
	}
	if err == nil {
		err = json.Unmarshal(b, &l)
	}
	if err != nil {
		return l, fmt.Errorf("%s: %w; sign in again with: cloudops login", path, err)
	}
	return l, nil
}

// writeLogin keeps l where only its owner can read it.
func writeLogin(l login) error {
	path, err := loginPath()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	b, err := json.Marshal(l)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), "login-") // which nobody else may read, whatever was there before
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

// forgetLogin removes what was kept.
func forgetLogin() error {
	path, err := loginPath()
	if err != nil {
		return err
	}
	if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
