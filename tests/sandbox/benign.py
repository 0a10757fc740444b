"""Programs as models write them. Each defines what it likes and ends in a call of `main()`; the result must
be what plain CPython gives.

`act(name, *args)` is the one primitive: it answers `seen NAME args`. Written for both: nothing here may
depend on the sandbox."""

from __future__ import annotations

PROGRAMS: dict[str, str] = {
    "closure_counter": """
def counter():
    n = 0
    def step(by=1):
        nonlocal n
        n += by
        return n
    return step
def main():
    a, b = counter(), counter()
    return [a(), a(5), b(), a()]
""",
    "closures_in_loop": """
def main():
    return [f() for f in [lambda i=i: i * i for i in range(5)]] + [g() for g in [lambda: i for i in range(3)]]
""",
    "generator_send": """
def average():
    total = count = 0
    value = None
    while True:
        new = yield value
        total, count = total + new, count + 1
        value = total / count
def main():
    g = average()
    next(g)
    return [g.send(x) for x in (10, 20, 60)]
""",
    "generator_return": """
def inner():
    yield 1
    return 'done'
def outer():
    result = yield from inner()
    yield result
def main():
    return list(outer())
""",
    "generator_pipeline": """
def numbers(n):
    for i in range(n):
        yield i
def even(it):
    return (x for x in it if x % 2 == 0)
def main():
    return sum(x ** 2 for x in even(numbers(20)))
""",
    "generator_lazy": """
log = []
def noisy(n):
    for i in range(n):
        log.append(i)
        yield i
def main():
    g = noisy(10)
    first = next(g)
    return first, list(log)
""",
    "generator_close": """
def g(log):
    try:
        while True:
            yield 1
    finally:
        log.append('closed')
def main():
    log = []
    it = g(log)
    next(it)
    it.close()
    return log
""",
    "comprehensions": """
def main():
    matrix = [[1, 2, 3], [4, 5, 6]]
    return {
        'flat': [x for row in matrix for x in row],
        'transposed': [[row[i] for row in matrix] for i in range(3)],
        'set': sorted({x % 2 for row in matrix for x in row}),
        'dict': {str(k): v for k, v in zip('abc', matrix[0])},
    }
""",
    "walrus": """
def main():
    data = [1, 5, 8, 2, 9]
    return [y for x in data if (y := x * 2) > 5], (n := len(data)), n
""",
    "dataclass_basic": """
from dataclasses import dataclass, field
@dataclass
class Ball:
    name: str
    room: str = 'rooma'
    tags: list = field(default_factory=list)
def main():
    a, b = Ball('b1'), Ball('b1')
    a.tags.append('red')
    return str(a), a == b, repr(b)
""",
    "dataclass_ordered": """
from dataclasses import dataclass, replace, asdict, astuple
@dataclass(frozen=True, order=True)
class Point:
    x: int
    y: int
def main():
    p = Point(1, 2)
    q = replace(p, y=0)
    try:
        p.x = 5
    except Exception as e:
        name = type(e).__name__
    return sorted([p, q])[0] == q, asdict(p), list(astuple(q)), name, hash(p) == hash(Point(1, 2))
""",
    "dataclass_post_init": """
from __future__ import annotations
from dataclasses import dataclass, field
from typing import Optional
@dataclass
class Node:
    value: int
    next: Optional[Node] = None
    double: int = field(init=False)
    def __post_init__(self):
        self.double = self.value * 2
def main():
    return str(Node(3, Node(4)))
""",
    "dataclass_slots_kwonly": """
from dataclasses import dataclass
@dataclass(slots=True, kw_only=True)
class P:
    a: int
    b: int = 2
def main():
    p = P(a=1)
    try:
        p.c = 3
    except AttributeError as e:
        return p.a + p.b, 'c' in str(e)
""",
    "regex_groups": """
import re
def main():
    text = 'ball1 is in rooma. ball22 is in roomb. left is free.'
    return re.findall(r'(\\w+) is in (room[ab])', text), re.sub(r'ball(\\d+)', lambda m: 'B' + m[1], text)
""",
    "regex_named": """
import re
PATTERN = re.compile(r'(?P<verb>take|put)\\s+(?P<object>[a-z]+ \\d+)', re.IGNORECASE)
def main():
    m = PATTERN.search('You Take mug 1 from shelf 2')
    return m.groupdict(), m.span(), m.start('object')
""",
    "regex_split": """
import re
def main():
    return re.split(r'[;,]\\s*', 'a; b,c;  d'), re.fullmatch(r'\\d{3}', '123') is not None, re.escape('a.b*c')
""",
    "sort_keys": """
def main():
    words = ['pear', 'fig', 'apple', 'kiwi']
    return (
        sorted(words, key=lambda w: (len(w), w)),
        sorted(words, key=str.lower, reverse=True),
        max(words, key=len),
    )
""",
    "sort_stable": """
from operator import itemgetter, attrgetter
def main():
    rows = [('b', 2), ('a', 2), ('c', 1)]
    return sorted(rows, key=itemgetter(1)), min(rows), sorted(rows, key=itemgetter(1, 0), reverse=True)
""",
    "sort_cmp": """
from functools import cmp_to_key
def main():
    return sorted(
        [3, 30, 34, 5, 9],
        key=cmp_to_key(
            lambda a, b: (int(f'{b}{a}') > int(f'{a}{b}')) - (int(f'{a}{b}') > int(f'{b}{a}'))
        ),
    )
""",
    "try_finally": """
def run(x):
    log = []
    try:
        log.append('try')
        10 / x
    except ZeroDivisionError as e:
        log.append(str(e))
    else:
        log.append('else')
    finally:
        log.append('finally')
    return log
def main():
    return run(1), run(0)
""",
    "finally_overrides": """
def f():
    for i in range(3):
        try:
            return i
        finally:
            if i < 1:
                continue
def main():
    return f()
""",
    "exception_chain": """
class Broken(Exception):
    def __init__(self, part, *, why):
        super().__init__(f'{part}: {why}')
        self.part = part
def main():
    try:
        try:
            {}['x']
        except KeyError as e:
            raise Broken('map', why='no x') from e
    except Broken as e:
        return str(e), e.part, type(e.__cause__).__name__, str(e.__cause__)
""",
    "exception_groups": """
def main():
    try:
        raise ExceptionGroup('many', [ValueError('a'), TypeError('b'), ValueError('c')])
    except* ValueError as g:
        values = [str(e) for e in g.exceptions]
    except* TypeError:
        values = []
    return values
""",
    "exception_notes": """
def main():
    try:
        try:
            int('x')
        except ValueError as e:
            e.add_note('while reading')
            raise
    except ValueError as e:
        return str(e), e.__notes__
""",
    "context_manager": """
class Holding:
    def __init__(self, log): self.log = log
    def __enter__(self): self.log.append('in'); return self
    def __exit__(self, kind, error, trace): self.log.append(kind.__name__ if kind else 'out'); return True
def main():
    log = []
    with Holding(log), Holding(log) as h:
        raise KeyError('x')
    return log
""",
    "match_values": """
def read(command):
    match command.split():
        case ['go', ('north' | 'south') as way]:
            return 'way ' + way
        case ['take', thing, *rest] if thing != 'all':
            return [thing, rest]
        case ['take', 'all']:
            return 'everything'
        case []:
            return None
        case _:
            return 'what?'
def main():
    return [read(c) for c in ('go north', 'take mug from shelf', 'take all', '', 'fly')]
""",
    "match_classes": """
from dataclasses import dataclass
@dataclass
class Move:
    a: str
    b: str
@dataclass
class Pick:
    ball: str
def name(x):
    match x:
        case Move(a, b='roomb'): return f'{a} to b'
        case Move(): return 'move'
        case Pick(ball=b): return b
        case {'k': [first, *_], **rest}: return first, rest
        case int(n) | float(n): return n
        case None | True: return 'singleton'
def main():
    return [
        name(x)
        for x in (Move('rooma', 'roomb'), Move('x', 'y'), Pick('b1'), {'k': [1, 2], 'z': 3}, 2.5, None)
    ]
""",
    "recursion_fib": """
from functools import lru_cache
@lru_cache(maxsize=None)
def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)
def main():
    return fib(90), fib.cache_info().hits
""",
    "recursion_hanoi": """
def hanoi(n, a, b, c):
    return [] if n == 0 else hanoi(n - 1, a, c, b) + [(n, a, c)] + hanoi(n - 1, b, a, c)
def main():
    return hanoi(4, 'A', 'B', 'C')
""",
    "recursion_permutations": """
def permute(items):
    if len(items) <= 1:
        return [items]
    return [[items[i]] + rest for i in range(len(items)) for rest in permute(items[:i] + items[i + 1:])]
def main():
    return permute([1, 2, 3])
""",
    "recursion_deep": """
def depth(n):
    return 0 if n == 0 else 1 + depth(n - 1)
def main():
    return depth(900)
""",
    "recursion_error": """
def f(n): return f(n + 1)
def main():
    try:
        f(0)
    except RecursionError as e:
        return str(e)[:32]
""",
    "recursion_tree": """
def flatten(x):
    return [y for e in x for y in (flatten(e) if isinstance(e, list) else [e])]
def main():
    return flatten([1, [2, [3, [4, [5]]]], [[[]]], 6])
""",
    "class_inheritance": """
class Thing:
    kind = 'thing'
    def __init__(self, name): self.name = name
    def describe(self): return f'{self.name} is a {self.kind}'
class Container(Thing):
    kind = 'container'
    def __init__(self, name, *items):
        super().__init__(name)
        self.items = list(items)
    def describe(self): return super().describe() + f' with {len(self.items)}'
def main():
    return [t.describe() for t in (Thing('mug'), Container('box', 1, 2))], [
        c.__name__ for c in Container.__mro__
    ]
""",
    "class_property": """
class Hand:
    def __init__(self): self._held = None
    @property
    def free(self): return self._held is None
    @free.setter
    def free(self, value): self._held = None if value else '?'
    @classmethod
    def make(cls): return cls()
    @staticmethod
    def fingers(): return 5
def main():
    h = Hand.make()
    before = h.free
    h.free = False
    return before, h.free, Hand.fingers()
""",
    "class_operators": """
class V:
    def __init__(self, x, y): self.x, self.y = x, y
    def __add__(self, o): return V(self.x + o.x, self.y + o.y)
    def __mul__(self, k): return V(self.x * k, self.y * k)
    __rmul__ = __mul__
    def __eq__(self, o): return (self.x, self.y) == (o.x, o.y)
    def __hash__(self): return hash((self.x, self.y))
    def __repr__(self): return f'V({self.x}, {self.y})'
    def __bool__(self): return bool(self.x or self.y)
def main():
    return repr(2 * V(1, 2) + V(0, 1)), V(1, 1) in {V(1, 1)}, bool(V(0, 0))
""",
    "class_iteration": """
class Countdown:
    def __init__(self, n): self.n = n
    def __iter__(self): return self
    def __next__(self):
        if self.n == 0: raise StopIteration
        self.n -= 1
        return self.n
    def __len__(self): return self.n
    def __getitem__(self, i): return i * 2
    def __contains__(self, x): return x == 42
def main():
    c = Countdown(4)
    return len(c), c[5], 42 in c, list(c)
""",
    "class_metaclass": """
class Registry(type):
    known = {}
    def __new__(mcls, name, bases, space):
        cls = super().__new__(mcls, name, bases, space)
        mcls.known[name] = len(bases)
        return cls
class A(metaclass=Registry): pass
class B(A): pass
def main():
    return Registry.known
""",
    "class_init_subclass": """
class Base:
    kinds = []
    def __init_subclass__(cls, tag='none', **kw):
        super().__init_subclass__(**kw)
        Base.kinds.append((cls.__name__, tag))
class A(Base, tag='a'): pass
class B(Base): pass
def main():
    return Base.kinds
""",
    "class_descriptor": """
class Positive:
    def __set_name__(self, owner, name): self.name = '_' + name
    def __get__(self, obj, owner=None): return getattr(obj, self.name, 0)
    def __set__(self, obj, value):
        if value < 0: raise ValueError(f'{self.name[1:]} must not be negative')
        setattr(obj, self.name, value)
class Box:
    size = Positive()
def main():
    b = Box()
    b.size = 4
    try:
        b.size = -1
    except ValueError as e:
        return b.size, str(e)
""",
    "class_abstract": """
from typing import Protocol, NamedTuple, runtime_checkable
@runtime_checkable
class Named(Protocol):
    name: str
class Pair(NamedTuple):
    name: str
    n: int = 3
def main():
    p = Pair('x')
    return isinstance(p, Named), list(p), p._replace(n=4)._asdict()
""",
    "keyword_arguments": """
def f(a, /, b, *args, c=3, **kw):
    return [a, b, list(args), c, sorted(kw.items())]
def main():
    return f(1, 2), f(1, b=5, d=1), f(1, 2, 3, 4, c=9, z=0), f(*[1, 2], **{'c': 1, 'x': 2})
""",
    "default_arguments": """
def add(x, into=[]):
    into.append(x)
    return list(into)
def main():
    return add(1), add(2), add(3, []), add.__defaults__
""",
    "wrong_arguments": """
def f(a, b=2, *, c): pass
def main():
    said = []
    for call in (lambda: f(), lambda: f(1, 2, 3, c=1), lambda: f(1, d=2, c=1), lambda: f(1)):
        try:
            call()
        except TypeError as e:
            said.append(str(e))
    return said
""",
    "f_strings": """
def main():
    x, name, n = 3.14159, 'ball', 42
    return [
        f'{x:.2f}',
        f'{name!r:>10}',
        f'{n:#x} {n:08b} {n:,}',
        f'{x=:.1f}',
        f'{"nested " + name}',
        f'{n:>{5}}',
        f'{{}}',
        f'{name:^9}|',
        f'{1e10:g}',
        f'{0.25:%}',
    ]
""",
    "string_methods": """
def main():
    s = '  You are in roomA. '
    return (
        s.strip().lower().replace('.', '').split(),
        s.title(),
        'a,b,,c'.split(','),
        '-'.join('abc'),
        'x'.zfill(3),
        'abc'.partition('b'),
        'tEST'.swapcase(),
        s.find('room'),
    )
""",
    "string_format": """
import string
def main():
    return (
        '{0} {name:>6} {1!r}'.format(1, 'x', name='n'),
        '%s-%03d-%.1f' % ('a', 7, 2.55),
        string.Template('$who likes $what').substitute(who='tim', what='kung pao'),
        string.ascii_lowercase[:5],
    )
""",
    "string_unicode": """
def main():
    s = 'Größe ✓ 日本'
    return (
        s.upper(),
        len(s),
        s.encode('utf-8').hex(),
        s[::-1],
        '\\N{SNOWMAN}',
        'ß'.casefold(),
        [c for c in 'né'.encode('latin-1')],
    )
""",
    "slices": """
def main():
    a = list(range(10))
    a[2:4] = ['x'] * 3
    del a[::4]
    return a, a[-3:], a[::-2], 'hello'[1:-1]
""",
    "unpacking": """
def main():
    first, *middle, last = range(6)
    (a, b), c = (1, 2), 3
    d = {**{'x': 1}, 'y': 2, **{'x': 3}}
    return first, middle, last, a + b + c, d, [*'ab', *range(2)]
""",
    "dict_methods": """
def main():
    d = {'b': 1, 'a': 2}
    d.setdefault('c', []).append(5)
    d |= {'z': 0}
    return (
        list(d),
        d.get('q', 'none'),
        d.pop('b'),
        sorted(d.items(), key=str),
        dict(zip('ab', (1, 2))) | {'a': 9},
        {v: k for k, v in {'x': 'y'}.items()},
    )
""",
    "set_algebra": """
def main():
    a, b = {1, 2, 3}, {2, 3, 4}
    return (
        sorted(a & b),
        sorted(a | b),
        sorted(a - b),
        sorted(a ^ b),
        a <= a | b,
        a.isdisjoint({9}),
        sorted(frozenset(a) | {7}),
    )
""",
    "set_of_strings_order": """
def main():
    return list({'pick', 'move', 'drop', 'open', 'close'}) == list(
        {'pick', 'move', 'drop', 'open', 'close'}
    ), len({'a', 'b', 'a'})
""",
    "counter": """
from collections import Counter
def main():
    c = Counter('mississippi')
    c.update('miss')
    return c.most_common(2), sorted((c - Counter('ssss')).items()), sum(c.values())
""",
    "defaultdict": """
from collections import defaultdict
def main():
    rooms = defaultdict(list)
    for ball, room in (('b1', 'a'), ('b2', 'b'), ('b3', 'a')):
        rooms[room].append(ball)
    return dict(rooms), 'zzz' in rooms, rooms.default_factory.__name__
""",
    "deque_bfs": """
from collections import deque
GRAPH = {'a': ['b', 'c'], 'b': ['d'], 'c': ['d', 'e'], 'd': ['f'], 'e': ['f'], 'f': []}
def path(start, goal):
    queue, seen = deque([[start]]), {start}
    while queue:
        p = queue.popleft()
        if p[-1] == goal:
            return p
        for n in GRAPH[p[-1]]:
            if n not in seen:
                seen.add(n)
                queue.append(p + [n])
def main():
    return path('a', 'f'), path('f', 'a')
""",
    "heap_dijkstra": """
import heapq
EDGES = {'a': {'b': 1, 'c': 4}, 'b': {'c': 2, 'd': 6}, 'c': {'d': 3}, 'd': {}}
def main():
    best, heap = {}, [(0, 'a')]
    while heap:
        cost, node = heapq.heappop(heap)
        if node in best:
            continue
        best[node] = cost
        for n, w in EDGES[node].items():
            heapq.heappush(heap, (cost + w, n))
    return best, heapq.nsmallest(2, [5, 1, 4]), list(heapq.merge([1, 4], [2, 3]))
""",
    "ordered_namedtuple": """
from collections import OrderedDict, namedtuple, ChainMap
Point = namedtuple('Point', 'x y', defaults=[0])
def main():
    o = OrderedDict(a=1, b=2)
    o.move_to_end('a')
    return list(o), Point(3), Point(1, 2)._fields, ChainMap({'a': 1}, {'a': 2, 'b': 3})['b']
""",
    "itertools_mix": """
import itertools as it
def main():
    return [
        list(it.chain([1], [2, 3])),
        list(it.combinations('abc', 2)),
        list(it.product([0, 1], repeat=2)),
        [(k, len(list(g))) for k, g in it.groupby('aabccc')],
        list(it.islice(it.count(5, 2), 3)),
        list(it.zip_longest('ab', 'c', fillvalue='-')),
        list(it.accumulate([1, 2, 3])),
        list(it.pairwise([1, 2, 3])),
        list(it.takewhile(lambda x: x < 3, [1, 2, 3, 1])),
        list(it.starmap(pow, [(2, 3), (3, 2)])),
    ]
""",
    "functools_mix": """
from functools import reduce, partial, wraps, singledispatch, cached_property, total_ordering
@singledispatch
def show(x): return 'any'
@show.register
def _(x: int): return 'int'
@total_ordering
class N:
    def __init__(self, n): self.n = n
    def __eq__(self, o): return self.n == o.n
    def __lt__(self, o): return self.n < o.n
    @cached_property
    def square(self): return self.n ** 2
def main():
    return (
        reduce(lambda a, b: a * b, range(1, 6)),
        partial(int, base=2)('101'),
        show(3),
        show('s'),
        N(2) >= N(1),
        N(4).square,
    )
""",
    "decorators": """
from functools import wraps
def logged(prefix):
    def outer(f):
        @wraps(f)
        def inner(*args, **kw):
            calls.append((prefix, f.__name__, args))
            return f(*args, **kw)
        return inner
    return outer
calls = []
@logged('>')
@logged('>>')
def add(a, b=1):
    'Adds.'
    return a + b
def main():
    return add(1), add(1, b=5), calls, add.__name__, add.__doc__
""",
    "math_functions": """
import math
def main():
    return (
        math.sqrt(2),
        math.gcd(12, 18),
        math.ceil(2.1),
        math.comb(5, 2),
        math.isclose(0.1 + 0.2, 0.3),
        math.hypot(3, 4),
        math.pi,
        math.floor(-1.5),
        math.prod([2, 3]),
        math.inf > 1,
    )
""",
    "number_formats": """
def main():
    return (
        7 // -2,
        7 % -2,
        divmod(-7, 2),
        round(2.5),
        round(0.125, 2),
        int('0b101', 0),
        0.1 + 0.2,
        10**20,
        1e-7,
        2**100,
        bin(10),
        complex(1, 2).imag,
        (0.1).as_integer_ratio()[1],
    )
""",
    "bit_tricks": """
def main():
    n = 0b101101
    return n & -n, n.bit_count(), n.bit_length(), n ^ 0xff, ~n, n << 3 >> 1, (255).to_bytes(2, 'big').hex()
""",
    "random_seeded": """
import random
def main():
    r = random.Random(42)
    return (
        r.random(),
        r.randint(1, 100),
        r.choice('abc'),
        r.sample(range(20), 4),
        r.shuffle(x := list(range(6))),
        x,
        r.gauss(0, 1),
    )
""",
    "json_round_trip": """
import json
def main():
    d = {'a': [1, 2.5, None, True], 'ü': {'n': 'x'}}
    text = json.dumps(d, sort_keys=True, indent=1)
    try:
        json.loads('{bad')
    except json.JSONDecodeError as e:
        where = e.pos
    return text, json.loads(text) == d, where
""",
    "copy_deep": """
import copy
def main():
    a = {'x': [1, {'y': 2}]}
    b, c = copy.copy(a), copy.deepcopy(a)
    a['x'][1]['y'] = 99
    return b['x'][1]['y'], c['x'][1]['y']
""",
    "copy_objects": """
import copy
class Node:
    def __init__(self, v): self.v, self.friends = v, []
def main():
    a = Node(1)
    a.friends.append(a)
    b = copy.deepcopy(a)
    return b.friends[0] is b, b is not a, b.v
""",
    "typing_hints": """
from typing import Optional, Union, Callable, TypeVar, get_type_hints
T = TypeVar('T')
def first(items: list[T], default: Optional[T] = None) -> Union[T, None]:
    return items[0] if items else default
def apply(f: Callable[[int], int], n: int) -> int:
    return f(n)
def main():
    return (
        first([]),
        first([3]),
        apply(lambda x: x + 1, 2),
        sorted(get_type_hints(apply)),
        str(dict[str, int]),
    )
""",
    "operator_module": """
import operator as op
OPS = {'+': op.add, '-': op.sub, '*': op.mul, '<': op.lt}
def rpn(text):
    stack = []
    for token in text.split():
        if token in OPS:
            b, a = stack.pop(), stack.pop()
            stack.append(OPS[token](a, b))
        else:
            stack.append(int(token))
    return stack
def main():
    return rpn('3 4 + 2 * 7 -'), rpn('1 2 <'), op.methodcaller('upper')('x')
""",
    "globals_and_nonlocal": """
COUNT = 0
def bump():
    global COUNT
    COUNT += 1
    return COUNT
def main():
    bump(); bump()
    return COUNT, 'COUNT' in globals(), sorted(locals())
""",
    "loop_else": """
def prime(n):
    for d in range(2, int(n ** 0.5) + 1):
        if n % d == 0:
            break
    else:
        return n > 1
    return False
def main():
    out, i = [], 0
    while len(out) < 10:
        i += 1
        if not prime(i):
            continue
        out.append(i)
    else:
        out.append('end')
    return out
""",
    "enumerate_zip_map": """
def main():
    return (
        [(i, c) for i, c in enumerate('ab', start=1)],
        list(map(lambda a, b: a + b, [1, 2], [10, 20])),
        list(filter(None, [0, 1, '', 'x'])),
        any(x > 2 for x in (1, 2, 3)),
        all([]),
        list(zip(*[(1, 'a'), (2, 'b')])),
        list(reversed([1, 2])),
        sum([[1], [2]], []),
    )
""",
    "isinstance_checks": """
def main():
    return (
        [isinstance(x, (int, str)) for x in (1, 'a', 2.0, True)],
        issubclass(bool, int),
        type(1) is int,
        callable(len),
        hasattr('', 'join'),
        getattr(3, 'nope', 'dflt'),
        isinstance(1, int | None),
    )
""",
    "printing": """
def main():
    print('a', 1, None, sep='-', end='!\\n')
    print()
    print('%5.1f' % 2.25, [1, 'x'], {'k': (1,)})
    print(*range(3), sep=', ', flush=True)
""",
    "lambda_and_conditional": """
def main():
    sign = lambda x: 'pos' if x > 0 else 'neg' if x < 0 else 'zero'
    return (
        [sign(x) for x in (3, -1, 0)],
        (lambda *a, **k: (a, k))(1, b=2),
        1 < 2 < 3 != 4,
        None or 'x',
        [] and 'y',
    )
""",
    "matrix": """
def multiply(a, b):
    return [[sum(x * y for x, y in zip(row, col)) for col in zip(*b)] for row in a]
def main():
    return multiply([[1, 2], [3, 4]], [[5, 6], [7, 8]]), [list(r) for r in zip(*[[1, 2], [3, 4]])]
""",
    "string_parsing": """
def parse(observation):
    facts = {}
    for sentence in observation.replace('Now:', '').split('.'):
        words = sentence.split()
        if len(words) >= 4 and words[1:3] == ['is', 'in']:
            facts[words[0]] = words[3]
    return facts
def main():
    return parse('Now: you are in rooma. ball1 is in rooma. ball2 is in roomb.')
""",
    "eval_of_literals": """
def main():
    return eval('[1, {"a": (2,)}]'), eval('x + 1', {'x': 4})
""",
    "assertions": """
def main():
    try:
        assert 1 > 2, 'one is less'
    except AssertionError as e:
        return str(e), e.args
""",
    "del_and_identity": """
def main():
    a = [1]
    b = a
    del a
    try:
        a
    except UnboundLocalError as e:
        return b is b, type(e).__mro__[1].__name__, str(e)
""",
    "memo_dict": """
def count(n, memo={}):
    if n in memo:
        return memo[n]
    memo[n] = 1 if n <= 1 else count(n - 1) + count(n - 2)
    return memo[n]
def main():
    return count(50)
""",
    "knapsack": """
def main():
    items, room = [(12, 4), (2, 2), (1, 1), (4, 10), (1, 2)], 15
    best = [0] * (room + 1)
    for weight, value in items:
        for r in range(room, weight - 1, -1):
            best[r] = max(best[r], best[r - weight] + value)
    return best[-1]
""",
    "eight_queens": """
def solve(n, row=0, cols=(), d1=(), d2=()):
    if row == n:
        return [list(cols)]
    return [s for c in range(n) if c not in cols and row + c not in d1 and row - c not in d2
            for s in solve(n, row + 1, (*cols, c), (*d1, row + c), (*d2, row - c))]
def main():
    found = solve(6)
    return len(found), found[0]
""",
    "act_in_loop": """
def main():
    seen = []
    for ball in ('ball1', 'ball2'):
        seen.append(act('pick', ball, 'rooma'))
        if 'ball2' in seen[-1]:
            break
    return seen
""",
    "act_until": """
def search(thing, places):
    for place in places:
        if thing in act('open', place):
            return place
    return None
def main():
    return search('shelf', ['drawer 1', 'shelf 2']), search('mug', ['desk'])
""",
    "act_in_comprehension": """
def main():
    return {p: act('look', p, n=i).split()[-1] for i, p in enumerate(['a', 'b'])}
""",
    "act_with_structures": """
def main():
    return act('put', ['x', 1, None], {'k': True}, at=1.5)
""",
    "act_raises_after": """
def main():
    act('go', 'a')
    try:
        raise RuntimeError('stuck')
    finally:
        act('go', 'back')
""",
    "act_in_generator": """
def walk(rooms):
    for room in rooms:
        yield act('go', room)
def main():
    it = walk(['a', 'b', 'c'])
    return next(it), next(it)
""",
    "act_as_value": """
from functools import partial
def twice(f, *args):
    return [f(*args), f(*args)]
def main():
    return twice(partial(act, 'turn'), 'left'), [f('x') for f in (act, str.upper)]
""",
    "uncaught_key_error": """
def lookup(d, k):
    return d[k]
def main():
    return lookup({'a': 1}, 'b')
""",
    "uncaught_custom": """
class Stuck(Exception):
    def __str__(self): return 'stuck in ' + self.args[0]
def main():
    raise Stuck('rooma')
""",
    "uncaught_type_error": """
def main():
    return 'a' + 1
""",
    "uncaught_attribute": """
def main():
    return [].push(1)
""",
    "uncaught_stop_iteration": """
def main():
    return next(iter([]))
""",
    "name_error_hint": """
def main():
    counter = 1
    return countr
""",
}
