package brokers

import (
	"context"
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/fnv"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
)

//go:embed pom.xml
var pom []byte

// Version is the version of Apache Kafka that is started.
var Version = string(regexp.MustCompile(`<artifactId>kafka_2\.13</artifactId>\s*<version>(.+)</version>`).FindSubmatch(pom)[1])

// oldestJava runs this version of Kafka.
const oldestJava = 17

var javaVersion = regexp.MustCompile(`version "(\d+)`)

// java finds a Java runtime that is new enough.
func java(ctx context.Context) (string, error) {
	path, err := exec.LookPath("java")
	if err != nil {
		return "", fmt.Errorf("java is not in the PATH: install a Java runtime of version %d or newer (Debian: openjdk-17-jre-headless)", oldestJava)
	}
	out, err := exec.CommandContext(ctx, path, "-version").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s -version: %w\n%s", path, err, out)
	}
	m := javaVersion.FindSubmatch(out)
	if m == nil {
		return "", fmt.Errorf("%s -version names no version:\n%s", path, out)
	}
	if v, _ := strconv.Atoi(string(m[1])); v < oldestJava {
		return "", fmt.Errorf("%s is Java %s: install a Java runtime of version %d or newer (Debian: openjdk-17-jre-headless) and put it first in the PATH", path, m[1], oldestJava)
	}
	return path, nil
}

// jars returns the folder of Kafka's jars. The first call of a machine has
// Maven fetch them into the user's cache; a folder that is there is complete.
func jars(ctx context.Context) (dir string, err error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("no folder for Kafka's jars: %w", err)
	}
	h := fnv.New32a()
	_, _ = h.Write(pom) // cannot fail
	dir = filepath.Join(cache, "dangol-kafka-"+Version+"-"+hex.EncodeToString(h.Sum(nil)))
	if there(dir) {
		return dir, nil
	}
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return "", err
	}
	// Maven's own store takes no two at a time.
	lock, err := os.OpenFile(dir+".lock", os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	if err := lockFile(lock); err != nil {
		return "", fmt.Errorf("lock %s: %w", lock.Name(), err)
	}
	if there(dir) {
		return dir, nil
	}
	return dir, fetch(ctx, dir)
}

func there(dir string) bool {
	info, err := os.Stat(dir)
	return err == nil && info.IsDir()
}

// fetch has Maven copy the jars into a folder that becomes dir when all are
// there.
func fetch(ctx context.Context, dir string) (err error) {
	mvn, err := exec.LookPath("mvn")
	if err != nil {
		return errors.New("mvn is not in the PATH: install Apache Maven (Debian: maven), which fetches Apache Kafka once")
	}
	temp, err := os.MkdirTemp(filepath.Dir(dir), "dangol-kafka-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(temp)) }()
	file, lib := filepath.Join(temp, "pom.xml"), filepath.Join(temp, "lib")
	if err := os.WriteFile(file, pom, 0o644); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, mvn, "-q", "-B", "-f", file, "dependency:copy-dependencies", "-DoutputDirectory="+lib)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("maven cannot fetch Apache Kafka %s: %w\n%s", Version, err, out)
	}
	return os.Rename(lib, dir)
}
