from dataclasses import replace

from atomops.commands.by_hand import restore_by_hand
from atomops.facts.backup import StoredFile
from tests.backup_sets import manifest

SET = manifest()


def test_a_set_is_restored_beside_the_old_database_with_nothing_but_its_own_programs() -> None:
    assert restore_by_hand(SET, "/backups/production/x") == (
        "# pg_restore 17 or newer; a superuser, or a role that may create roles",
        "# roles; what is said of those that exist already can be ignored",
        "psql --no-psqlrc --dbname=postgres --file=/backups/production/x/roles.sql",
        "createdb --template=template0 --encoding=UTF8 --locale=C atom_restored",
        "pg_restore --exit-on-error --jobs=2 --dbname=atom_restored /backups/production/x/data",
        "vacuumdb --analyze-only --jobs=2 --dbname=atom_restored",
        "# compare: 3 rows in 1 table; then rename both databases",
    )


def test_what_no_archive_holds_is_said() -> None:
    origin = replace(SET.origin, settings=("ALTER DATABASE atom SET jit = off",), grants=("GRANT CONNECT ...",))

    lines = restore_by_hand(replace(SET, origin=origin), "x")

    assert "# for the new name: ALTER DATABASE atom SET jit = off" in lines
    assert "# for the new name: GRANT CONNECT ..." in lines


def test_an_encrypted_set_is_decrypted_first_and_then_has_its_own_names() -> None:
    files = tuple(replace(file, path=f"{file.path}.age") for file in SET.files)

    lines = restore_by_hand(replace(SET, files=files, encrypted_for=("age1abc",)), "my set")

    assert "age1abc" in lines[1]
    assert lines[2].startswith("find 'my set' -name '*.age' -exec sh -c ")
    assert "pg_restore --exit-on-error --jobs=2 --dbname=atom_restored 'my set/data'" in lines


def test_an_archive_of_one_file_is_named_itself() -> None:
    files = (StoredFile("atom.dump", 9_000, ""), StoredFile("notes.txt", 9, ""))

    lines = restore_by_hand(replace(SET, files=files), "x")

    assert any(line.endswith(" x/atom.dump") for line in lines)
    assert not any(line.startswith("psql") for line in lines)


def test_a_folder_in_the_directory_format_may_be_the_set_itself() -> None:
    lines = restore_by_hand(replace(SET, files=(StoredFile("toc.dat", 9, ""),)), "x")

    assert any(line.endswith(" x/.") for line in lines)


def test_a_manifest_without_files_still_says_the_rest() -> None:
    assert any("createdb" in line for line in restore_by_hand(replace(SET, files=()), "x"))
