"""The file server: uploads as multipart forms whose part names are the paths, downloads by path; in memory."""

from __future__ import annotations

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response


class Files:
    """What has been uploaded."""

    def __init__(self) -> None:
        self.contents: dict[str, bytes] = {}

    async def answer(self, request: Request) -> Response:
        """Upload, download or delete."""
        path = request.url.path.lstrip("/") if request.method == "POST" else request.scope["path"].lstrip("/")
        if request.method == "POST":
            return await self._delete_many(request) if path == "delete_many" else await self._upload(request)
        if path not in self.contents:
            return PlainTextResponse("Not Found", 404)
        if request.method == "DELETE":
            del self.contents[path]
            return PlainTextResponse("OK")
        return Response(self.contents[path], media_type="application/octet-stream")

    async def _upload(self, request: Request) -> Response:
        saved = []
        async with request.form() as form:
            for path, part in form.multi_items():
                if isinstance(part, UploadFile):
                    self.contents[path.lstrip("/")] = await part.read()
                    saved.append(path.lstrip("/"))
        return JSONResponse(saved)

    async def _delete_many(self, request: Request) -> Response:
        deleted = {}
        for path in (await request.json()).get("files", []):
            key = str(path).lstrip("/")
            if self.contents.pop(key, None) is not None:
                deleted[key] = path
        return JSONResponse({"deleted": deleted, "errors": {}})
