from atomops.facts.runtime import Instance, Running


def test_an_application_is_stopped_when_nothing_runs_and_nothing_is_meant_to() -> None:
    one = Instance("atom-1", "running", is_ready=True)
    assert Running("deployment atom", 0).is_stopped
    assert not Running("deployment atom", 1).is_stopped
    assert not Running("deployment atom", 0, (one,)).is_stopped


def test_only_instances_that_serve_are_ready() -> None:
    one, two = Instance("atom-1", "running", is_ready=True), Instance("atom-2", "starting", is_ready=False)
    assert Running("deployment atom", 2, (one, two)).ready == 1
