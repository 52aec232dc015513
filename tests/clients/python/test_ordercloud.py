"""The community's Python client against the real server: what the JavaScript client cannot send."""

import os
import pathlib
import re
import secrets
import signal
import subprocess
import tempfile
import unittest
import urllib.parse

from ordercloud import SyncOrderCloudClient
from ordercloud.errors import AuthenticationError, OrderCloudError
from ordercloud.models import User, UserGroup, UserGroupAssignment
from ordercloud.sync_client import paginate_sync

ROOT = pathlib.Path(__file__).resolve().parents[3]
BINARY = os.environ.get("ROLLBOOK_BIN", str(ROOT / "target" / "release" / "rollbook"))
CLIENT_ID, SECRET = "python-test-admin", "a-secret-of-the-python-test"


class OrderCloudTest(unittest.TestCase):
    """One server and one signed-in client for all tests."""

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="rollbook-python-")
        cls.addClassCleanup(folder.cleanup)
        environment = {
            **os.environ,
            "ROLLBOOK_LISTEN": "127.0.0.1:0",
            "ROLLBOOK_DATABASE": cls.new_database(folder.name),
            "ROLLBOOK_ADMIN_CLIENT_ID": CLIENT_ID,
            "ROLLBOOK_ADMIN_CLIENT_SECRET": SECRET,
        }
        log = open(f"{folder.name}/log", "w+", encoding="utf-8")
        cls.addClassCleanup(log.close)
        cls.server = subprocess.Popen([BINARY, "serve"], env=environment, stdout=subprocess.PIPE, stderr=log, text=True)
        cls.addClassCleanup(cls.stop)
        addresses = (re.search(r"listening on (http:\S+)", line) for line in cls.server.stdout)
        found = next(filter(None, addresses), None)
        if found is None:
            log.seek(0)
            raise RuntimeError(f"the server did not start:\n{log.read()}")
        cls.url = found[1]
        cls.client = cls.signed_in(CLIENT_ID, SECRET)
        cls.addClassCleanup(cls.client.close)

    @classmethod
    def new_database(cls, folder):
        """A file or, if ROLLBOOK_TEST_STORE is postgres, a database in the server of TEST_DATABASE_URL."""
        if os.environ.get("ROLLBOOK_TEST_STORE") != "postgres":
            return f"sqlite:{folder}/rollbook.db"
        server, name = os.environ["TEST_DATABASE_URL"], f"rollbook_clients_{secrets.token_hex(8)}"
        psql = lambda statement: subprocess.run(["psql", server, "--quiet", "--command", statement], check=True)
        psql(f"CREATE DATABASE {name}")
        cls.addClassCleanup(psql, f"DROP DATABASE {name} WITH (FORCE)")
        return urllib.parse.urlsplit(server)._replace(path=f"/{name}").geturl()

    @classmethod
    def stop(cls):
        cls.server.send_signal(signal.SIGTERM)
        try:
            code = cls.server.wait(timeout=15)
        except subprocess.TimeoutExpired:
            cls.server.kill()
            raise
        finally:
            cls.server.stdout.close()
        if code != 0:
            raise RuntimeError(f"the server ended with {code}")

    @classmethod
    def signed_in(cls, client_id, secret, scopes=("FullAccess",)):
        return SyncOrderCloudClient.create(
            client_id=client_id,
            client_secret=secret,
            base_url=f"{cls.url}/v1",
            auth_url=f"{cls.url}/oauth/token",
            scopes=list(scopes),
            max_retries=0,
        )

    def refused(self, status, code, call, *args, **kwargs):
        with self.assertRaises(OrderCloudError) as caught:
            call(*args, **kwargs)
        self.assertEqual((caught.exception.status_code, caught.exception.errors[0].error_code), (status, code))
        return caught.exception

    def test_page_zero_is_an_error_and_an_empty_search_is_ignored(self):
        groups = self.client.admin_user_groups
        groups.create(UserGroup(id="listed", name="Listed"))
        self.refused(400, "InvalidRequest", groups.list, page=0)
        self.refused(400, "List.InvalidPageSize", groups.list, page_size=0)
        self.refused(400, "List.InvalidPageSize", groups.list, page_size=101)
        self.assertIn("listed", [group.id for group in groups.list(search="").items])

    def test_groups_are_created_and_deleted(self):
        groups = self.client.admin_user_groups
        made = groups.create(UserGroup(id="g1", name="G 1", xp={"a": 1, "b": None}))
        self.assertEqual((made.id, made.name, made.description, made.xp), ("g1", "G 1", None, {"a": 1, "b": None}))
        self.assertEqual(groups.save("g1", UserGroup(name="G")).xp, None)
        self.assertEqual(groups.patch("g1", {"Description": None, "xp": {"d": 1}}).xp, {"d": 1})
        groups.delete("g1")
        self.refused(404, "NotFound", groups.get, "g1")

    def test_a_patch_without_a_body_changes_nothing(self):
        groups = self.client.admin_user_groups
        groups.create(UserGroup(id="still", name="Still", description="d"))
        self.assertEqual(groups.patch("still", {}).description, "d")

    def test_filters_in_this_clients_spelling(self):
        groups = self.client.admin_user_groups
        groups.create(UserGroup(id="f1", name="Admin ops", xp={"Color": "green", "N": 5, "Flag": True, "Zero": 0}))
        groups.create(UserGroup(id="f2", name="a&b=c+d e/é~'()#*%", description="d"))
        found = lambda **options: [group.id for group in groups.list(**options).items]
        xp = {"xp.Color": ["!red", "!blue"], "xp.N": ">=5", "xp.Flag": True, "xp.Zero": 0}
        self.assertEqual(found(filters=xp), ["f1"])
        self.assertEqual(found(filters={"Name": "Adm*|*ops", "Description": "!*"}, sort_by="!Name,ID"), ["f1"])
        self.assertEqual(found(filters={"Name": "a&b=c+d e/é~'()#\\*%"}), ["f2"])
        self.assertEqual(found(filters={"xp.a b": 1}), [])
        self.assertEqual(found(search="min op", search_on="ID,Name"), ["f1"])
        self.refused(400, "List.InvalidProperty", groups.list, filters={"xp": {"Geo": {"Lat": 1}}})

    def test_a_posted_user_may_have_failed_attempts(self):
        users, groups = self.client.admin_users, self.client.admin_user_groups
        sent = User(
            id="u1", username="u1", password="Passw0rd!!x", first_name="F", last_name="L", email="e@x.io", active=True
        )
        self.assertEqual(users.create(sent).failed_login_attempts, 0)
        self.assertEqual(users.patch("u1", {"Active": False}).active, False)
        groups.create(UserGroup(id="assigned", name="N"))
        for _ in range(2):
            groups.save_user_assignment(UserGroupAssignment(user_group_id="assigned", user_id="u1"))
        listed = groups.list_user_assignments(page=1, page_size=100, user_group_id="assigned", user_id="u1").items
        self.assertEqual([(item.user_group_id, item.user_id) for item in listed], [("assigned", "u1")])
        self.assertEqual([user.id for user in users.list(filters={"DateCreated": ">2015-01-01"}).items], ["u1"])
        groups.delete_user_assignment("assigned", "u1")
        users.unlock_user_account("u1")
        users.revoke_user_tokens("u1")
        users.delete("u1")
        self.refused(404, "NotFound", users.get, "u1")

    def test_all_pages_are_listed(self):
        groups = self.client.admin_user_groups
        for at in range(7):
            groups.create(UserGroup(id=f"walk-{at}", name="Walked"))
        walked = paginate_sync(groups.list, page_size=3, filters={"Name": "Walked"})
        self.assertEqual([group.id for group in walked], [f"walk-{at}" for at in range(7)])

    def test_missing_rights_are_authentication_errors(self):
        reader = self.signed_in(CLIENT_ID, SECRET, ["AdminUserGroupReader"])
        self.addCleanup(reader.close)
        reader.admin_user_groups.list()
        error = self.refused(403, "Auth.InsufficientRoles", reader.admin_user_groups.create, {"Name": "N"})
        self.assertIsInstance(error, AuthenticationError)


if __name__ == "__main__":
    unittest.main()
