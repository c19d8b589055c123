// Command traefik is the devcluster's Ingress controller and Gateway: Traefik with its own flags, without its ACME
// client, plugins, metrics and traces.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/rs/zerolog"
	"github.com/rs/zerolog/log"
	"github.com/traefik/paerser/cli"
	"github.com/traefik/traefik/v3/cmd"
	tcli "github.com/traefik/traefik/v3/pkg/cli"
)

// configuration adds one flag to Traefik's own: Traefik reads the kubeconfig's path from the environment only.
type configuration struct {
	cmd.TraefikCmdConfiguration `export:"true"`
	Kubeconfig                  string `description:"Path to the kubeconfig." export:"true"`
}

func main() {
	zerolog.SetGlobalLevel(zerolog.WarnLevel) // until the flags are read
	conf := &configuration{TraefikCmdConfiguration: *cmd.NewTraefikConfiguration()}
	err := cli.Execute(&cli.Command{
		Name:          "traefik",
		Description:   "Traefik for a devcluster",
		Configuration: conf,
		Resources:     []cli.ResourceLoader{&tcli.FlagLoader{}},
		Run:           func([]string) error { return run(conf) },
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, "traefik:", err)
		os.Exit(1)
	}
}

func run(conf *configuration) error {
	if err := setLogger(conf); err != nil {
		return err
	}
	if conf.Kubeconfig != "" {
		if err := os.Setenv("KUBECONFIG", conf.Kubeconfig); err != nil {
			return fmt.Errorf("set KUBECONFIG: %w", err)
		}
	}
	conf.SetEffectiveConfiguration()
	if err := conf.ValidateConfiguration(); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	s, err := newServer(&conf.Configuration)
	if err != nil {
		return err
	}
	s.Start(ctx)
	defer s.Close()
	s.Wait()
	return nil
}

// setLogger sets Traefik's global logger.
func setLogger(conf *configuration) error {
	level := zerolog.WarnLevel
	if conf.Log != nil && conf.Log.Level != "" {
		var err error
		if level, err = zerolog.ParseLevel(conf.Log.Level); err != nil {
			return fmt.Errorf("invalid --log.level %q", conf.Log.Level)
		}
	}
	zerolog.SetGlobalLevel(level)
	log.Logger = zerolog.New(zerolog.ConsoleWriter{Out: os.Stdout, TimeFormat: time.RFC3339, NoColor: true}).
		With().Timestamp().Logger()
	zerolog.DefaultContextLogger = &log.Logger
	return nil
}
