"""``/control``: how a test or a person moves the clock, asks for faults, and looks into the services."""

from __future__ import annotations

import inspect
import ipaddress
import json
from collections.abc import Awaitable, Callable
from datetime import date, datetime
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from sandbox.faults import parse_fault
from sandbox.middleware import Frame
from sandbox.service import NotSupported, Service, World

Handler = Callable[[Request, Any], Any]


def control_app(
    world: World, services: dict[str, Service], frame: Frame, carry_out_due: Callable[[], Awaitable[int]]
) -> ASGIApp:
    """The control calls, for clients on this machine only."""
    calls = ControlCalls(world, services, frame, carry_out_due)
    named = "/{service}"
    routes = [
        ("GET", "/state" + named, calls.state),
        ("POST", "/load" + named, calls.load),
        ("POST", "/lock-date" + named, calls.lock_date),
        ("GET", "/clock", calls.clock),
        ("POST", "/clock", calls.move_clock),
        ("POST", "/quota" + named, calls.quota),
        ("GET", "/faults" + named, calls.faults),
        ("POST", "/faults" + named, calls.add_faults),
        ("DELETE", "/faults" + named, calls.clear_faults),
        ("GET", "/calls" + named, calls.calls),
        ("DELETE", "/calls" + named, calls.clear_calls),
        ("GET", "/held", calls.held),
        ("POST", "/release", calls.release),
        ("GET", "/readings" + named, calls.readings),
        ("POST", "/readings" + named, calls.set_readings),
        ("POST", "/change" + named, calls.change),
        ("POST", "/{action}" + named, calls.further),
    ]
    return OnlyFromHere(
        Starlette(routes=[Route(path, _json(handler), methods=[method]) for method, path, handler in routes])
    )


class ControlCalls:
    """What each control call does; every one takes the request and its JSON, and returns JSON."""

    def __init__(
        self, world: World, services: dict[str, Service], frame: Frame, carry_out_due: Callable[[], Awaitable[int]]
    ) -> None:
        self._world = world
        self._services = services
        self._frame = frame
        self._carry_out_due = carry_out_due

    async def state(self, request: Request, _: Any) -> Any:
        """All objects of a service."""
        return self._service(request).state()

    async def load(self, request: Request, given: Any) -> Any:
        """Replace all objects of a service."""
        return {"loaded": self._service(request).load(_object(given))}

    async def lock_date(self, request: Request, given: Any) -> Any:
        """Set or take away the lock dates."""
        given = _object(given, {"period", "year_end"})
        period, year_end = _date(given.get("period")), _date(given.get("year_end"))
        self._service(request).set_lock_dates(period, year_end)
        return {"period": given.get("period"), "year_end": given.get("year_end")}

    async def clock(self, _: Request, __: Any) -> Any:
        """The time in the sandbox."""
        return {"now": self._world.clock.now().isoformat(), "offset_seconds": self._world.clock.offset_seconds}

    async def move_clock(self, request: Request, given: Any) -> Any:
        """Advance or set the clock; what was postponed until then is carried out."""
        given = _object(given, {"advance_seconds", "now"})
        if len(given) != 1:
            raise ValueError('Give either {"advance_seconds": n} or {"now": timestamp}.')
        if "now" in given:
            self._world.clock.set(datetime.fromisoformat(str(given["now"])))
        else:
            self._world.clock.advance(float(given["advance_seconds"]))
        carried_out = await self._carry_out_due()
        return await self.clock(request, None) | {"carried_out": carried_out}

    async def quota(self, request: Request, given: Any) -> Any:
        """Tighten or widen limits."""
        return {"limits": self._service(request).set_quota(_object(given))}

    async def faults(self, request: Request, _: Any) -> Any:
        """Faults that still wait."""
        return {"faults": self._frame.faults.waiting(self._service(request).name)}

    async def add_faults(self, request: Request, given: Any) -> Any:
        """Ask for faults."""
        faults = [parse_fault(one) for one in (given if isinstance(given, list) else [given])]
        self._frame.faults.add(self._service(request).name, faults)
        return await self.faults(request, None)

    async def clear_faults(self, request: Request, _: Any) -> Any:
        """Take all faults away."""
        return {"cleared": self._frame.faults.clear(self._service(request).name)}

    async def calls(self, request: Request, _: Any) -> Any:
        """Every call that is over."""
        return {"calls": self._frame.calls.of(self._service(request).name)}

    async def clear_calls(self, request: Request, _: Any) -> Any:
        """Forget the calls."""
        return {"cleared": self._frame.calls.clear(self._service(request).name)}

    async def held(self, _: Request, __: Any) -> Any:
        """How many calls wait at the fault ``hold``."""
        return {"held": self._frame.gate.waiting}

    async def release(self, _: Request, __: Any) -> Any:
        """Let the held calls go on."""
        return {"released": self._frame.gate.release()}

    async def readings(self, request: Request, _: Any) -> Any:
        """Which reading of each open question is in force."""
        return self._optional(request, "readings")()

    async def set_readings(self, request: Request, given: Any) -> Any:
        """Switch open readings."""
        return self._optional(request, "set_readings")(_object(given))

    async def change(self, request: Request, given: Any) -> Any:
        """Insert, update or delete single objects."""
        return self._optional(request, "change")(_object(given))

    async def further(self, request: Request, given: Any) -> Any:
        """A control call of the service's own: one of those that its ``control()`` names."""
        actions = self._optional(request, "control")()
        action = request.path_params["action"]
        if action not in actions:
            raise KeyError(f"There is no control call {action!r} for this service, only {', '.join(actions)}.")
        done = actions[action](_object(given or {}))
        return await done if inspect.isawaitable(done) else done

    def _service(self, request: Request) -> Service:
        name = request.path_params["service"]
        if name not in self._services:
            raise KeyError(f"The sandbox serves no {name!r}, only {', '.join(self._services)}.")
        return self._services[name]

    def _optional(self, request: Request, what: str) -> Callable[..., Any]:
        service = self._service(request)
        found: Callable[..., Any] | None = getattr(service, what, None)
        if found is None:
            raise NotSupported(f"The stand-in for {service.title} has no {what.removeprefix('set_')} to control.")
        return found


class OnlyFromHere:
    """Refuses clients from other machines, and pages in a browser that found the port by a name of their own."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a call through, or answer 403."""
        client = scope.get("client")
        host = dict(scope["headers"]).get(b"host", b"").decode("latin-1").rsplit(":", 1)[0]
        if client and ipaddress.ip_address(client[0]).is_loopback and host in ("127.0.0.1", "localhost"):
            await self._app(scope, receive, send)
            return
        message = "Control answers only to this machine, asked as 127.0.0.1 or localhost."
        await JSONResponse({"message": message}, status_code=403)(scope, receive, send)


def _json(handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        try:
            body = await request.body()
            return JSONResponse(await handler(request, json.loads(body) if body else None))
        except KeyError as error:
            return JSONResponse({"message": str(error.args[0])}, status_code=404)
        except (ValueError, TypeError, NotSupported) as error:
            return JSONResponse({"message": str(error)}, status_code=400)

    return answer


def _object(given: Any, known: set[str] | None = None) -> dict[str, Any]:
    if not isinstance(given, dict):
        raise ValueError("This call takes a JSON object.")
    if known is not None and set(given) - known:
        raise ValueError(f"Unknown: {', '.join(sorted(set(given) - known))}. Known: {', '.join(sorted(known))}.")
    return given


def _date(given: Any) -> date | None:
    return None if given is None else date.fromisoformat(str(given))
