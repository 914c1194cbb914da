/// The part of the Python wrapper that decides, before any of the file runs, how `main` is to be called.
let pythonMainSearch = #"""
    # What the file looks like, before it runs.


    class Shape(object):
        """Whether a file has a main for us to call, a `__main__` guard, and calls main itself."""

        def __init__(self, tree):
            self.has_main = False
            self.guarded = False
            self.calls_main = False
            self.needs_more = False
            self.visit(tree.body)

        @property
        def main_is_ours(self):
            if not self.has_main or self.calls_main:
                return False
            # A main that wants more than (id, config) is called by its own guard.
            return not (self.needs_more and self.guarded)

        def visit(self, statements):
            for node in statements:
                if isinstance(node, ast.If) and is_guard(node.test):
                    self.guarded = True
                    self.visit(node.orelse)
                    continue
                if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                    if node.name == "main":
                        self.has_main = True
                        arguments = node.args
                        positional = getattr(arguments, "posonlyargs", []) + arguments.args
                        self.needs_more = len(positional) - len(arguments.defaults) > 2
                    continue
                if isinstance(node, ast.ClassDef):
                    continue
                if isinstance(node, ast.ImportFrom):
                    self.has_main = self.has_main or any((a.asname or a.name) == "main" for a in node.names)
                if isinstance(node, ast.Assign) and not isinstance(node.value, ast.Constant):
                    self.has_main = self.has_main or any(names_main(target) for target in node.targets)
                for field in ("body", "orelse", "finalbody", "handlers", "cases"):
                    inner = getattr(node, field, None)
                    if isinstance(inner, list):
                        self.visit(inner)
                self.calls_main = self.calls_main or calls_main(node)


    def names_main(node):
        return isinstance(node, ast.Name) and node.id == "main"


    def is_guard(test):
        for node in ast.walk(test):
            if isinstance(node, ast.Compare):
                sides = [node.left] + node.comparators
                name = any(isinstance(side, ast.Name) and side.id == "__name__" for side in sides)
                main = any(isinstance(side, ast.Constant) and side.value == "__main__" for side in sides)
                if name and main and isinstance(node.ops[0], ast.Eq):
                    return True
        return False


    def calls_main(node):
        """Whether running this statement calls main: not the bodies of functions, and not statements inside it."""
        pending = [child for child in ast.iter_child_nodes(node) if not isinstance(child, ast.stmt)]
        while pending:
            child = pending.pop()
            if isinstance(child, ast.Call) and names_main(child.func):
                return True
            if not isinstance(child, (ast.Lambda, ast.stmt)):
                pending.extend(ast.iter_child_nodes(child))
        return False


    """#
