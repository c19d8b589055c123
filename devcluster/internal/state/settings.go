package state

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// Settings are the parts of a cluster other than the control plane. They are stored in the folder, so that a later up
// starts the same cluster again.
type Settings struct {
	Nodes   int                          `json:"nodes"`
	Hollow  []string                     `json:"hollow,omitempty"` // architecture of each hollow node
	Labels  map[string]map[string]string `json:"labels,omitempty"` // by node
	Taints  map[string][]string          `json:"taints,omitempty"` // by node, each KEY=VALUE:EFFECT
	DNS     bool                         `json:"dns,omitempty"`
	Gateway bool                         `json:"gateway,omitempty"`
	Metrics bool                         `json:"metrics,omitempty"`
}

const settingsFile = "settings.json"

// Settings returns the stored settings. The default is one node.
func (d *Dir) Settings() (Settings, error) {
	data, err := os.ReadFile(d.Path(settingsFile))
	if errors.Is(err, fs.ErrNotExist) {
		return Settings{Nodes: 1}, nil
	}
	var s Settings
	if err == nil {
		err = json.Unmarshal(data, &s)
	}
	if err != nil {
		return Settings{}, fmt.Errorf("read the cluster's settings: %w", err)
	}
	return s, nil
}

// SetSettings stores the settings.
func (d *Dir) SetSettings(s Settings) error {
	data, err := json.MarshalIndent(s, "", "  ")
	if err == nil {
		err = WriteFile(d.Path(settingsFile), append(data, '\n'), 0o644)
	}
	if err != nil {
		return fmt.Errorf("write the cluster's settings: %w", err)
	}
	return nil
}
