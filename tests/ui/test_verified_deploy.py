"""A deploy proves first that the captured code does what the kernel does; nothing is written otherwise."""


def test_a_value_that_diverged_stops_the_deploy_before_the_first_write(run, local_aws):
    run("RATE = 2")
    run("shell = get_ipython()")
    run("%%on_sqs_message verify-orders\ndef price(event):\n    return RATE")
    run("shell.user_ns['RATE'] = 3")  # which nobody sees
    run("%chalice local status")
    error = run.error("%chalice deploy")
    assert "RATE" in error.message
    assert "2" in str(error)
    assert "3" in str(error)
    assert [handler.state for handler in run("%chalice status").handlers] == ["registered"]


def test_code_that_does_not_import_by_itself_stops_the_deploy(run, local_aws, monkeypatch):
    monkeypatch.setenv("NBCHALICE_TEST_SETTING", "7")
    run("'a cell above'")
    run("import os\nSETTING = int(os.environ['NBCHALICE_TEST_SETTING'])")
    run("%%on_sqs_message verify-orders\ndef price(event):\n    return SETTING")
    error = run.error("%chalice deploy")
    assert "NBCHALICE_TEST_SETTING" in str(error)
    assert "cell 4, line 2" in str(error)


def test_a_credential_in_the_environment_is_refused_and_not_shown(run, local_aws):
    run("%%on_sqs_message verify-orders --env ACCESS=AKIAIOSFODNN7ABCDEFG\ndef price(event):\n    pass")
    error = run.error("%chalice plan")
    assert "--env ACCESS holds an AWS access key id" in error.message
    assert "cell 3, line 1" in str(error)
    assert "AKIA" not in str(error)


def test_a_handler_that_cannot_be_packaged_does_not_hide_the_others(run, local_aws):
    run("%%on_sqs_message verify-orders\ndef price(event):\n    return MISSING")
    run("%%on_sqs_message verify-orders\ndef sound(event):\n    pass")
    broken, sound = run("%chalice").handlers
    assert (broken.name, broken.state, sound.name, sound.drift) == ("price", "registered", "sound", ())
    assert "cannot be deployed: MISSING is not defined" in broken.drift[0]


def test_a_cell_that_was_edited_after_it_was_run_stops_the_deploy(run, local_aws, tmp_path):
    import nbformat
    from nbformat.v4 import new_code_cell, new_notebook

    cell = "%%on_sqs_message verify-orders\ndef price(event):\n    return {}"
    run.names["__session__"] = str(tmp_path / "shop.ipynb")
    run.shell.run_cell(cell.format(1), store_history=True, cell_id="aa").raise_error()

    def save(text):
        written = new_code_cell(text)
        written["id"] = "aa"
        nbformat.write(new_notebook(cells=[written]), tmp_path / "shop.ipynb")

    save(cell.format(1))
    assert run("%chalice plan").changes
    save(cell.format(2))
    error = run.error("%chalice plan")
    assert "cell 3 was edited after it was run" in error.message
    assert "return 2" in str(error)


def test_what_cannot_be_packaged_is_told_with_handler_and_cell(run, local_aws):
    run("%%on_sqs_message verify-orders --requirements absent.txt\ndef price(event):\n    pass")
    error = run.error("%chalice plan")
    assert error.message.startswith("handler price: ")
    assert "cell 3, line 1" in str(error)
