"""A complete executor. Python 3.9 or newer, nothing to install: BATUTA_KEY=bk_… python3 executor.py"""
import http.client, itertools, json, os, re, threading, time, traceback, urllib.error, urllib.request, uuid
from datetime import datetime, timezone

URL = os.environ.get("BATUTA_URL", "http://127.0.0.1:8787")
AGENT = os.environ.get("AGENT_ID", "word-counter-py")


def perform(task, step):
    """The work: put yours here. `step` reports progress; whatever is raised fails the attempt."""
    words = re.findall(r"[^\W\d_]+", task["parameters"]["input_data"]["text"].lower())
    step(50, f"Read {len(words)} words")
    return {"words": len(words), "different": len(set(words))}


class Over(Exception):
    """The attempt is over, or somebody else's: not another word about it."""


def call(method, path, body, lease=None):
    """A call, with the same body until it is answered: Batuta knows what it has had before."""
    headers = {"Authorization": f"Bearer {os.environ['BATUTA_KEY']}", "Content-Type": "application/json"}
    if lease:
        headers["Lease-Token"] = lease["token"]  # the right to write about this task
    request = urllib.request.Request(URL + path, json.dumps(body).encode(), headers, method=method)
    for tries in itertools.count():
        wait = min(2**tries, 30)
        try:
            with urllib.request.urlopen(request, timeout=40) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as refusal:
            text = refusal.read().decode()
            if refusal.code == 409:
                raise Over(text)
            if refusal.code != 429 and refusal.code < 500:
                raise RuntimeError(f"{path}: {refusal.code} {text}")
            wait = float(refusal.headers.get("Retry-After") or wait)
        except (OSError, http.client.HTTPException, ValueError):
            pass  # no answer, or half of one
        time.sleep(wait)


def run(task, lease, **_more):
    def about():
        now = datetime.now(timezone.utc).isoformat()
        return {"task_id": task["task_id"], "agent_id": AGENT, "timestamp": now}

    def notify(kind, data):
        body = {**about(), "notification_id": str(uuid.uuid4()), "notification_type": kind, "data": data}
        return call("POST", "/v1/notifications", body, lease)

    begun, is_over, trouble = time.monotonic(), threading.Event(), []

    def keep_beating():
        # The lease lasts so long from each sign of life; no clock needs to be right for it.
        while not is_over.wait(task["heartbeat_timeout"] / 3):
            try:
                commands = call("POST", f"/v1/tasks/{task['task_id']}/heartbeat", {}, lease)["commands"]
                if any(command["command"] == "cancel" for command in commands):
                    raise RuntimeError("cancelled")
            except Exception as error:
                trouble.append(error)
                return

    def go_on():
        if trouble:
            raise trouble[0]

    def step(percentage, what):
        notify("task_progress", {"progress_percentage": percentage, "current_step": what})
        go_on()

    threading.Thread(target=keep_beating, daemon=True).start()
    try:
        notify("task_started", {"task_type": task["task_type"], "estimated_duration": 1, "complexity": "low"})
        result, quality = perform(task, step), {"overall_score": 1}
        go_on()
        metrics = {"execution_time": time.monotonic() - begun, "tokens_used": 0, "cost": 0, "quality_score": 1}
        done = {"result": result, "execution_summary": "Counted", "metrics": metrics, "quality_assessment": quality}
        notify("task_completed", done)
        end = {**about(), "reason": "success", "quality_assessment": quality}
        call("POST", f"/v1/tasks/{task['task_id']}/end", end, lease)
    except Over:
        raise
    except Exception as error:
        cause = {"class": "executor", "detail": repr(error), "evidence": traceback.format_exc()}
        failure = {"error_type": type(error).__name__, "error_message": repr(error), "root_cause": cause}
        notify("task_failed", failure)
    finally:
        is_over.set()


call("PUT", f"/v1/agents/{AGENT}", {"capabilities": ["word_count"], "pools": ["words"]})
while True:
    for claimed in call("POST", f"/v1/agents/{AGENT}/claim", {"wait_seconds": 25})["tasks"]:
        try:
            run(claimed["task"], claimed["lease"])  # there may be more in it
        except Exception:
            traceback.print_exc()
