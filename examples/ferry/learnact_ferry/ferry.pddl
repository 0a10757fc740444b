(define (domain ferry)
  (:requirements :strips :typing)
  (:types car shore - object)
  (:predicates
    (links ?x - shore ?y - shore) (berthed ?x - shore) (deck-empty) (aboard ?c - car)
    (parked ?c - car ?x - shore))

  (:action sail
    :parameters (?x - shore ?y - shore)
    :precondition (and (berthed ?x) (links ?x ?y))
    :effect (and (berthed ?y) (not (berthed ?x))))

  (:action board
    :parameters (?c - car ?x - shore)
    :precondition (and (parked ?c ?x) (berthed ?x) (deck-empty))
    :effect (and (aboard ?c) (not (parked ?c ?x)) (not (deck-empty))))

  (:action debark
    :parameters (?c - car ?x - shore)
    :precondition (and (aboard ?c) (berthed ?x))
    :effect (and (parked ?c ?x) (deck-empty) (not (aboard ?c)))))
