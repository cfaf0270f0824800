from atomops.facts.backup import Result
from tests.backup_sets import backup_set, manifest, proof


def test_only_a_restore_proves_a_set() -> None:
    assert backup_set().is_proven
    assert not backup_set(proven=False).is_proven


def test_a_manifest_adds_up_what_it_holds() -> None:
    made = manifest()

    assert made.bytes == sum(file.bytes for file in made.files)
    assert made.contents.rows == 3
    assert made.origin.major == 17


def test_a_proof_says_what_it_is_worth_in_one_sentence() -> None:
    assert proof().sentence == "restored, 1 table, 3 rows equal"
    assert proof(Result.INTACT, reason="no server binaries").sentence == "intact: no server binaries"


def test_a_set_is_known_by_the_moment_of_its_snapshot() -> None:
    made = backup_set(2)

    assert made.at == made.manifest.at
    assert made.id == made.manifest.id
