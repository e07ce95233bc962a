"""The connection pool, as a program of its own under the sanitizers."""
import pathlib
import subprocess


def test_pool():
    run = pathlib.Path(__file__).with_name("run")
    done = subprocess.run([run], capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
