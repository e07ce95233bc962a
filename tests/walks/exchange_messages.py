from support.client import unique
from support.walks import Recipe


class ExchangeMessages(Recipe):
    resource = "exchange_messages"

    def make(self, state):
        if state == "received":
            return {"id": self.value("""
                insert into dudao.exchange_messages(direction, peer, type, op,
                    business_key, revision, idempotency_key, payload_sha256,
                    payload, state)
                values ('in', 'municipal_platform', 'X-51', 'event', %s, 1,
                    %s, 'sha256:', '{}', 'received')
                returning id::text""", unique("task:"), unique("sha256:"))}
        uid = self.value("select app.enqueue('X-16', 'event', null, null,"
                         " %s, '{}')", unique("budget:"))
        return {"id": self.value("select id::text from dudao.exchange_messages"
                                 " where message_uid = %s", uid)}

    def ready(self, action, row, from_state):
        if action == "give_up":
            self.alter(row["id"], attempts=24)

    def body(self, action, row, from_state):
        return {
            "ack": {"peer_receipt_no": "YY-1"},
            "reject": {"error_code": "E-1", "error_text": "单位代码不存在"},
            "error": {"error_code": "timeout", "error_text": "连接超时"},
            "refuse": {"reason": "不属本县"},
        }.get(action, {})
