# pyftpd.py DIR PORT [plain]: becomes a pyftpdlib server on 127.0.0.1:PORT that keeps files in DIR/root/in. The user is `user` with
# the password in DIR/password; without `plain`, only TLS is taken. DIR/ca.crt and so on are by ca.sh.
import os
import sys

from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import FTPHandler, TLS_FTPHandler
from pyftpdlib.servers import FTPServer

folder, port, options = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
root = os.path.join(folder, "root")
os.makedirs(os.path.join(root, "in"), exist_ok=True)
with open(os.path.join(folder, "password")) as file:
    password = file.read().strip()
users = DummyAuthorizer()
users.add_user("user", password, root, perm="elradfmwMT")
handler = FTPHandler if "plain" in options else TLS_FTPHandler
handler.authorizer = users
if "plain" not in options:
    handler.certfile = os.path.join(folder, "server.crt")
    handler.keyfile = os.path.join(folder, "server.key")
    handler.tls_control_required = handler.tls_data_required = True
FTPServer(("127.0.0.1", port), handler).serve_forever()
