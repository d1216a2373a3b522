"""Knowledge distillation: wide teachers are trained first, and a student learns their answers.

What several large networks make of an example, doubts included, says more than its label (Hinton,
Vinyals and Dean 2015, arXiv:1503.02531). The teachers see the same recordings and are not kept.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tinyml.tasks import Task
from tinyml.training import Options, tensorflow
from tinyml.training.learner import Array, Stage

WIDER = 1.5  # a teacher's width as a factor on that of its student
_TRUST = 0.7  # share of the teachers' answers in a target; the rest is the label

Teach = Callable[[Array, Array], Array]


def teachers(task: Task, labels: int, options: Options) -> list[Stage]:
    """Return the stages in which `options.teachers` teachers learn, each from another start."""
    return [
        Stage(
            f"teacher {number} of {options.teachers}",
            options.epochs,
            options.learning_rate,
            lambda _: task.build_model(labels, WIDER * options.width),
        )
        for number in range(1, options.teachers + 1)
    ]


def student(
    task: Task, labels: int, options: Options
) -> Callable[[Sequence[Sequence[Array]]], Teach] | None:
    """Return `Stage.teach` of a stage that follows the teachers'; None where there are none."""
    return (lambda results: _teach(task, labels, options, results)) if options.teachers else None


def _teach(task: Task, labels: int, options: Options, results: Sequence[Sequence[Array]]) -> Teach:
    """Return what makes targets of real inputs and the targets of their labels, both float32."""
    tf = tensorflow()
    networks = []
    for weights in results[: options.teachers]:
        network = task.build_model(labels, WIDER * options.width)
        network.set_weights(weights)
        networks.append(network)

    def ensemble(inputs: Any) -> Any:
        answers = [tf.nn.softmax(network(inputs, training=False)) for network in networks]
        return tf.add_n(answers) / len(networks)

    answers = tf.function(ensemble, reduce_retracing=True)

    def teach(inputs: Array, targets: Array) -> Array:
        mixed: Array = _TRUST * answers(tf.constant(inputs)).numpy() + (1 - _TRUST) * targets
        return mixed

    return teach
