"""What the log tells beside the kinds that consoles and phones tell (`dispatcher.events.KINDS`)."""

PLAN_ACCEPTED = "plan_accepted"
PLAN_REPAIRED, REPAIR_PROPOSED = "plan_repaired", "repair_proposed"
ORDER_LINKED, LINK_PROPOSED = "order_linked", "link_proposed"
SLA_NEAR_BREACH, SLA_BREACHED = "sla_near_breach", "sla_breached"
