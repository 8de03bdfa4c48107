"""Alerts: what people must be told of a run, and the channels that carry it to them.

It compares the state of things with what each channel was told before, so that nobody hears the same thing every
night. What the state is, its caller knows; a channel that fails is reported and never raises.
"""

from pipelines.alerts.configuration import Channel, Event, SettingsFile, load_settings_file
from pipelines.alerts.reporting import Condition, Occasion, Sent, channel_health, report, try_channels

__all__ = [
    "Channel",
    "Condition",
    "Event",
    "Occasion",
    "Sent",
    "SettingsFile",
    "channel_health",
    "load_settings_file",
    "report",
    "try_channels",
]
