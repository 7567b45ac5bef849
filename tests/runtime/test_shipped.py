"""What ships leaves out what only the notebook needs."""

import subprocess
import sys


def test_a_schedule_works_without_the_rules_for_cron():
    code = """if True:
    import sys
    sys.modules["nbchalice.runtime.cron"] = None
    from nbchalice import Chalice, Cron
    app = Chalice("shop")
    @app.schedule("cron(0 18 ? * MON-FRI *)")
    @app.schedule(Cron(0, 18, "?", "*", "MON-FRI", "*"), description="same")
    def evening(event): ...
    print(evening.triggers[0].options["expression"])
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "cron(0 18 ? * MON-FRI *)\n"
