package main

import (
	"fmt"
	"os"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// logger writes to standard error: JSON for machines, or "console" for people,
// in colour on a terminal where NO_COLOR is unset.
func (c LogConfig) logger() (*zap.Logger, error) {
	level, err := zapcore.ParseLevel(c.Level)
	if err != nil {
		return nil, usageError{fmt.Errorf("KEYHOLDER_LOG_LEVEL is %q; it must be debug, info, warn or error", c.Level)}
	}
	cfg := zap.NewProductionConfig()
	cfg.Level = zap.NewAtomicLevelAt(level)
	cfg.EncoderConfig.EncodeTime = zapcore.ISO8601TimeEncoder
	switch c.Format {
	case "json":
	case "console":
		cfg.Encoding = "console"
		cfg.EncoderConfig.EncodeLevel = zapcore.CapitalLevelEncoder
		if info, err := os.Stderr.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 && os.Getenv("NO_COLOR") == "" {
			cfg.EncoderConfig.EncodeLevel = zapcore.CapitalColorLevelEncoder
		}
	default:
		return nil, usageError{fmt.Errorf("KEYHOLDER_LOG_FORMAT is %q; it must be json or console", c.Format)}
	}
	return cfg.Build()
}
