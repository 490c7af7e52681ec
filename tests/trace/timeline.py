"""The Chrome JSON trace format's rules for the events that a timeline of elmu has."""
import json

NUMBER = (int, float)
REQUIRED = {'B': {'name': str, 'cat': str}, 'E': {}, 'C': {'name': str, 'args': dict}, 'M': {'name': str, 'args': dict}}


class Error(Exception):
    pass


def need(ok, event, what):
    if not ok:
        raise Error('%s: %r' % (what, event))


def check(path):
    """The list of events of a file that keeps the rules."""
    with open(path) as f:
        top = json.load(f)
    need(isinstance(top, dict) and isinstance(top.get('traceEvents'), list), top.keys(), 'no list of traceEvents')
    need(top.get('displayTimeUnit', 'ms') in ('ms', 'ns'), top.keys(), 'displayTimeUnit')
    stacks, last, processes, threads, counters = {}, {}, set(), set(), {}
    for e in top['traceEvents']:
        need(e.get('ph') in REQUIRED, e, 'phase')
        for key in ('pid', 'tid'):
            need(type(e.get(key)) is int, e, key)
        need(isinstance(e.get('ts'), NUMBER) and e['ts'] >= 0, e, 'ts')
        for key, kind in REQUIRED[e['ph']].items():
            need(isinstance(e.get(key), kind), e, key)
        thread = e['pid'], e['tid']
        if e['ph'] == 'M':
            need(e['name'] in ('process_name', 'thread_name') and isinstance(e['args'].get('name'), str), e, 'metadata')
            (processes if e['name'] == 'process_name' else threads).add(e['pid'] if e['name'] == 'process_name' else thread)
            continue
        need(e['pid'] in processes and thread in threads, e, 'an event of a thread without a name')
        need(e['ts'] >= last.get(thread, 0), e, 'time runs backwards')
        last[thread] = e['ts']
        stack = stacks.setdefault(thread, [])
        if e['ph'] == 'B':
            stack.append(e)
        elif e['ph'] == 'E':
            need(stack, e, 'ends nothing')
            stack.pop()
        else:
            for name, value in e['args'].items():
                need(isinstance(value, NUMBER), e, 'counter')
                need(value > counters.get((e['pid'], name), 0), e, 'a count that does not grow')
                counters[e['pid'], name] = value
    for thread, stack in stacks.items():
        need(not stack, stack, 'slices that do not end')
    return top['traceEvents']
