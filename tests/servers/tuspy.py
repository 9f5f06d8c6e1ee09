# tuspy.py DIR PORT: becomes a tuspyserver on 127.0.0.1:PORT, with its endpoint at /files and its files in DIR.
import sys

import uvicorn
from fastapi import FastAPI
from tuspyserver import create_tus_router

app = FastAPI()
app.include_router(create_tus_router(files_dir=sys.argv[1], prefix="files"))
uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[2]), log_level="warning")
